#include "sim/hardware/step_cost_parameters.h"

#include "sim/table/csv.h"

namespace dspark {
namespace {

// Steps of a nanosecond to a quarter of an hour: beyond lie typing errors, and sums that virtual time cannot
// hold.
constexpr double kLeastStep = 1e-6;  // ms
constexpr double kLongestStep = 1e6;

/// A measured table in the first of its two forms of name: `size_column`, `milliseconds_column`.
std::optional<CostTable> read_table(Parameters& group, const char* size_column,
                                    const char* milliseconds_column, std::string_view meaning,
                                    const CostTable::Options& options) {
  const Position position = group.position_of("table");
  InputFile file = group.file("table", meaning);
  if (file.content.empty()) return std::nullopt;  // the error is already there, or this is only a listing
  const std::string name = file.path;
  const auto table = CsvTable::parse(std::move(file));
  const auto sizes = table ? table->numbers(size_column, 1) : table.error();
  const auto milliseconds =
      table ? table->numbers(milliseconds_column, kLeastStep, kLongestStep) : table.error();
  if (!sizes || !milliseconds) {
    group.add_error(!sizes ? sizes.error() : milliseconds.error());
    return std::nullopt;
  }
  std::vector<CostTable::Point> points;
  for (std::size_t i = 0; i < sizes->size(); ++i) points.push_back({(*sizes)[i], (*milliseconds)[i] * 1e-3});
  auto cost = CostTable::make(std::move(points), options, name);
  if (!cost) {
    Error error = cost.error();
    if (!error.position.source) error.position = position;
    group.add_error(std::move(error));
    return std::nullopt;
  }
  return *std::move(cost);
}

void read_verify_cost(Parameters& parameters, StepCost::Parts& parts) {
  Parameters verify = parameters.group("verify_cost", "time of one target step by the rows in it", true);
  const bool affine = verify.given("bias_ms") && !verify.given("table");
  if (affine || verify.is_describing()) {
    parts.verify_affine.bias_seconds =
        1e-3 * verify.number("bias_ms", {.min = kLeastStep,
                                         .max = kLongestStep,
                                         .unit = "ms",
                                         .meaning = "affine cost instead of `table`: constant"});
    // Flat in tokens would mean: verify everything, always.
    parts.verify_affine.seconds_per_token =
        1e-3 * verify.number(
                   "per_token_ms",
                   {.min = kLeastStep, .max = kLongestStep, .unit = "ms", .meaning = "affine cost: per row"});
  }
  (affine ? parts.verify_affine.seconds_per_request : parts.verify_terms.seconds_per_request) =
      1e-3 *
      verify.number("per_request_ms", {.min = 0,
                                       .max = kLongestStep,
                                       .default_value = 0,
                                       .unit = "ms",
                                       .meaning = "per decoding request, beside table or affine cost"});
  parts.verify_terms.seconds_per_context_token =
      1e-3 * verify.number("per_context_token_ms",
                           {.min = 0,
                            .max = kLongestStep,
                            .default_value = 0,
                            .unit = "ms",
                            .meaning = "per token that a row attends to, summed over the step's rows"});
  if (affine) return;
  CostTable::Options options;
  options.capture_limit = static_cast<double>(
      verify.integer("capture_limit",
                     {.min = 0,
                      .max = 1 << 24,
                      .default_value = 0,
                      .unit = "tokens",
                      .meaning = "largest captured graph: a staircase up to it, linear pieces beyond; 0: the "
                                 "table's largest size"}));
  options.running_maximum =
      verify.flag("running_maximum",
                  {.default_value = false, .meaning = "a larger step never costs less than a smaller one"});
  parts.verify_table =
      read_table(verify, "tokens", "step_ms", "CSV with columns tokens and step_ms", options);
}

}  // namespace

StepCost::Parts read_step_cost(Parameters& parameters, bool overhead_is_solved) {
  StepCost::Parts parts;
  read_verify_cost(parameters, parts);
  if (parameters.given("draft_cost") || parameters.is_describing()) {
    Parameters draft =
        parameters.group("draft_cost", "time of drafting by the requests that draft; absent: free");
    parts.draft_table =
        read_table(draft, "requests", "draft_ms", "CSV with columns requests and draft_ms", {});
    parts.sequential_drafter =
        draft.choice("drafter",
                     {.options = {"block", "sequential"},
                      .default_value = "block",
                      .meaning = "block: the table prices a whole block; sequential: one draft step"}) ==
        "sequential";
    parts.one_token_share =
        draft.number("one_token_share", {.min = 0,
                                         .max = 1,
                                         .default_value = 1,
                                         .meaning = "what a block of one token takes of a whole one's time, "
                                                    "lengths between them on a straight line"});
    parts.draft_block_size = static_cast<int>(draft.integer(
        "block_size", {.min = 0,
                       .max = 64,
                       .default_value = 0,
                       .unit = "tokens",
                       .meaning = "γ: of the whole block that the table prices; one_token_share "
                                  "needs it"}));
    if (parts.one_token_share < 1 && (parts.draft_block_size < 2 || parts.sequential_drafter)) {
      draft.add_error("'one_token_share' is of a block drafter whose 'block_size' is given, from 2",
                      draft.position_of("one_token_share"));
    }
  }
  if (!overhead_is_solved) {
    parts.overhead_seconds =
        1e-3 *
        parameters.number(
            "step_overhead_ms",
            {.min = 0, .max = 1e6, .default_value = 0, .unit = "ms", .meaning = "added to every step"});
  }
  parts.decision_seconds =
      1e-3 * parameters.number("decision_overhead_ms",
                               {.min = 0,
                                .max = 1e6,
                                .default_value = 0,
                                .unit = "ms",
                                .meaning = "added to every step whose depths are chosen after drafting "
                                           "(published: 0.04 .. 0.2)"});
  parts.idle_drafter_tax = parameters.number(
      "idle_drafter_tax", {.min = 0,
                           .max = 10,
                           .default_value = 0,
                           .meaning = "share added to a step in which a loaded drafter drafts nothing "
                                      "(published: 0.15 .. 0.18)"});
  return parts;
}

}  // namespace dspark
