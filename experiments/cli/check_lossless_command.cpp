#include <fmt/format.h>
#include <oneapi/tbb/parallel_for.h>

#include <algorithm>
#include <array>

#include "experiments/cli/commands.h"
#include "experiments/cli/exit_code.h"
#include "experiments/cli/report.h"
#include "experiments/schema/yaml_reader.h"
#include "policies/depth/depth_policy_registry.h"
#include "policies/lossless/lossless_check.h"
#include "policies/nearest_name.h"

namespace dspark {
namespace {

/// A policy to check: as written, and how to make it.
struct Candidate {
  std::string text;
  PolicyMaker make;
  bool lossless = true;  // what it says of itself
};

/// Parameters that have no default, for `--all`.
constexpr std::array<std::pair<const char*, const char*>, 4> kRequired{
    {{"fixed", "{fixed: {k: 2}}"},
     {"k_by_batch_size", "{k_by_batch_size: {table: {1: 3, 2: 2}}}"},
     {"tetris", "{tetris: {capacity_per_request: 1}}"},
     {"load_knee", "{load_knee: {requests: 2, k: 2}}"}}};
/// Further forms of policies whose parameters decide what they look at.
constexpr std::array kVariants{
    "{tetris: {capacity_per_request: 1, score: confidence}}",
    "{hugging_face_heuristic: {num_assistant_tokens: 2, assistant_confidence_threshold: 0.4}}",
    "{dspark: {cost: hull}}", "{dspark_async: {lag: 1}}"};

std::unique_ptr<DepthPolicy> make_policy(const NamedValue& named) {
  Parameters parameters(named.parameters, {}, named.shorthand);
  return make_depth_policy(named.name, parameters);
}

/// The policy that `text` writes, or the errors in it.
std::optional<Candidate> read_candidate(const std::string& text, Errors& errors) {
  const auto value = read_yaml(text, "--policy");
  if (!value) {
    errors.push_back(value.error());
    return std::nullopt;
  }
  const auto named = read_named_value(*value);
  if (!named) {
    errors.push_back(named.error());
    return std::nullopt;
  }
  Parameters parameters(named->parameters, {}, named->shorthand);
  const auto policy = make_depth_policy(named->name, parameters);
  if (!policy) {
    errors.push_back({fmt::format("there is no policy '{}'", named->name),
                      {},
                      known_names_advice(named->name, depth_policy_names())});
    return std::nullopt;
  }
  parameters.finish();
  errors = parameters.errors();
  if (!errors.empty()) return std::nullopt;
  const NamedValue copy = *named;
  return Candidate{text, [copy] { return make_policy(copy); }, policy->traits().lossless};
}

std::string default_form(const std::string& policy) {
  for (const auto& [name, text] : kRequired) {
    if (policy == name) return text;
  }
  return policy;
}

/// The answer to one policy and source of confidence.
struct Row {
  const Candidate* candidate;
  ConfidenceSource source;
  LosslessVerdict verdict = {};

  /// It is exposed although neither the policy nor the signal says that it anticipates.
  bool breaks_its_word() const {
    return verdict.kind == LosslessVerdict::Kind::kExposed && candidate->lossless &&
           known_before_draw(source);
  }
};

std::string row_text(const Row& row, bool whole) {
  const auto& names = confidence_source_names();
  std::string text = fmt::format("{}, {}: {}", row.candidate->text,
                                 names[static_cast<std::size_t>(row.source)], verdict_text(row.verdict));
  if (row.verdict.kind == LosslessVerdict::Kind::kExposed) {
    text += row.breaks_its_word()     ? "; IT SAYS THAT IT IS LOSSLESS"
            : row.candidate->lossless ? "; this signal anticipates"
                                      : "; it says so";
  }
  text += '\n';
  if (whole && row.verdict.exposure) text += exposure_text(*row.verdict.exposure);
  return text;
}

int fail(const Errors& errors) {
  for (const Error& error : errors) print_error(error);
  return kInvalidInput;
}

/// What everything rests on; false where it does not hold.
bool foundations_hold(std::string& text) {
  const auto identities = prove_verifier();
  const FrontierProof frontier = prove_frontier();
  text += identities ? fmt::format("verifier: {} identities hold in rationals\n", *identities)
                     : "verifier: speculative sampling does not keep the target\n";
  text +=
      frontier.leak
          ? fmt::format("frontier: {}\n", *frontier.leak)
          : fmt::format("frontier: shows nothing of what is not admitted, in {} states of all strategies\n",
                        frontier.states);
  return identities && !frontier.leak;
}

}  // namespace

int check_lossless_command(const CheckLosslessOptions& options) {
  std::vector<ConfidenceSource> sources;
  const auto& names = confidence_source_names();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (options.signal.empty() || options.signal == names[i])
      sources.push_back(static_cast<ConfidenceSource>(i));
  }
  std::vector<std::string> texts = options.policies;
  if (options.all) {
    for (const std::string& name : depth_policy_names()) texts.push_back(default_form(name));
    texts.insert(texts.end(), kVariants.begin(), kVariants.end());
  }
  if (texts.empty()) return fail({{"no policy was named", {}, "--policy dspark, or --all"}});
  std::vector<Candidate> candidates;
  for (const std::string& text : texts) {
    Errors errors;
    auto candidate = read_candidate(text, errors);
    if (!candidate) return fail(errors);
    candidates.push_back(std::move(*candidate));
  }

  std::string text;
  bool good = foundations_hold(text);
  std::vector<Row> rows;
  for (const Candidate& candidate : candidates) {
    for (const ConfidenceSource source : sources) rows.push_back({&candidate, source});
  }
  oneapi::tbb::parallel_for(std::size_t{0}, rows.size(), [&](std::size_t i) {
    rows[i].verdict = check_lossless(rows[i].candidate->make, rows[i].source);
  });
  for (const Row& row : rows) {
    text += row_text(row, !options.all || row.breaks_its_word());
    // A single question is answered by the exit code; the list only complains about broken words.
    const bool exposed = row.verdict.kind == LosslessVerdict::Kind::kExposed;
    good &= options.all ? !row.breaks_its_word() : !exposed;
  }
  if (!print_output(text)) return kMachineCannot;
  return good ? kDone : kCheckFailed;
}

}  // namespace dspark
