#include <fmt/format.h>
#include <oneapi/tbb/parallel_for.h>

#include "experiments/cli/checked_policy.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/exit_code.h"
#include "experiments/cli/report.h"

namespace dspark {
namespace {

/// The answer to one policy and source of confidence.
struct Row {
  const CheckedPolicy* candidate;
  ConfidenceSource source;
  LosslessVerdict verdict = {};

  bool breaks_its_word() const { return dspark::breaks_its_word(candidate->traits, source, verdict); }
};

std::string row_text(const Row& row, bool whole) {
  const auto& names = confidence_source_names();
  std::string text = fmt::format("{}, {}: {}", row.candidate->text,
                                 names[static_cast<std::size_t>(row.source)], verdict_text(row.verdict));
  if (row.verdict.kind == LosslessVerdict::Kind::kExposed) {
    text += row.breaks_its_word()            ? "; IT SAYS THAT IT IS LOSSLESS"
            : row.candidate->traits.lossless ? "; this signal anticipates"
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
    texts = all_checked_forms();
  }
  if (texts.empty()) return fail({{"no policy was named", {}, "--policy dspark, or --all"}});
  std::vector<CheckedPolicy> candidates;
  for (const std::string& text : texts) {
    Errors errors;
    auto candidate = read_checked_policy(text, errors);
    if (!candidate) return fail(errors);
    candidates.push_back(std::move(*candidate));
  }

  std::string text;
  bool good = foundations_hold(text);
  std::vector<Row> rows;
  for (const CheckedPolicy& candidate : candidates) {
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
