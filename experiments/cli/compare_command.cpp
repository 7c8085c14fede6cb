#include <fmt/format.h>

#include <algorithm>

#include "experiments/cli/commands.h"
#include "experiments/cli/compare_report.h"
#include "experiments/cli/exit_code.h"
#include "experiments/cli/figure_program.h"
#include "experiments/cli/report.h"
#include "experiments/cli/show_data.h"
#include "experiments/results/difference_tables.h"
#include "experiments/results/hdf5_file.h"

namespace dspark {
namespace {

int fail(const Error& error, ExitCode code) {
  print_error(error);
  return code;
}

/// `machine.use=modelled:executor`; one ':' only, since values may hold some.
Result<AxisChoice> read_pair(const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::size_t colon = equals == std::string::npos ? equals : text.find(':', equals);
  if (equals == 0 || colon == std::string::npos || text.find(':', colon + 1) != std::string::npos) {
    return Error{fmt::format("'{}' is not AXIS=A:B", text),
                 {},
                 "--pair machine.use=modelled:executor; for policies --policy-a and --policy-b"};
  }
  return AxisChoice{text.substr(0, equals), text.substr(equals + 1, colon - equals - 1),
                    text.substr(colon + 1)};
}

Result<DifferenceOptions> difference_options(const CompareOptions& options) {
  DifferenceOptions chosen{options.metrics, {}, options.fitted, {}};
  if (options.steady) chosen.steady = *options.steady / 100;
  if (!options.policy_a.empty()) chosen.choices.push_back({"policy", options.policy_a, options.policy_b});
  for (const std::string& text : options.pairs) {
    const auto pair = read_pair(text);
    if (!pair) return pair.error();
    chosen.choices.push_back(*pair);
  }
  return chosen;
}

ErrorLimits limits_of(const CompareOptions& options) {
  const auto share = [](const std::optional<double>& percent) {
    return percent ? std::optional(*percent / 100) : std::nullopt;
  };
  return {share(options.median), share(options.worst)};
}

std::string judgement_text(const std::vector<Judgement>& judgements, const CompareOptions& options) {
  std::string text;
  for (const Judgement& judgement : judgements) {
    text += fmt::format(
        "{}: {} is {:.1f} % off in the median{} and {:.1f} % at worst{}\n",
        judgement.passes ? "passes" : "exceeds", metric_words(judgement.metric), judgement.median * 100,
        options.median ? fmt::format(" (at most {:g} %)", *options.median) : "", judgement.worst * 100,
        options.worst ? fmt::format(" (at most {:g} %)", *options.worst) : "");
  }
  return text;
}

std::string output_text(const ComparedResults& compared, const CompareOptions& options,
                        const std::vector<Judgement>& judgements) {
  if (options.csv) return csv_text(differences_table(compared.differences));
  if (options.json) return difference_json(compared, limits_of(options), judgements);
  if (options.sentence) return difference_sentence(compared);
  return difference_text(compared, options.explain, judgement_text(judgements, options));
}

}  // namespace

std::vector<Judgement> judge(const ResultDifferences& differences, const ErrorLimits& limits, bool all) {
  std::vector<Judgement> judgements;
  if (!limits.median && !limits.worst) return judgements;
  for (const ErrorSummary& summary : differences.summaries) {
    const std::string& metric = differences.metrics[summary.metric].name;
    const bool judged = all || metric == "throughput" || metric == "user_speed_mean";
    if (!judged || summary.role == Role::kFitted) continue;
    const bool exceeds =
        (limits.median && summary.median > *limits.median) || (limits.worst && summary.worst > *limits.worst);
    judgements.push_back({metric, summary.median, summary.worst, !exceeds});
  }
  return judgements;
}

int compare_command(const CompareOptions& options) {
  const auto chosen = difference_options(options);
  if (!chosen) return fail(chosen.error(), kInvalidInput);
  if (!options.figure.empty()) {
    if (const auto error = wrong_figure_path(options.figure)) return fail(*error, kInvalidInput);
  }
  const auto a = read_result_file(options.a);
  if (!a) return fail(a.error(), kInvalidInput);
  const auto b = read_result_file(options.b);
  if (!b) return fail(b.error(), kInvalidInput);
  auto differences = compare_results(*a, *b, *chosen);
  if (!differences) return fail(differences.error(), kInvalidInput);
  const ComparedResults compared{
      options.a, options.b, *a, *b, std::move(*differences), options.policy_a != options.policy_b};

  const ErrorLimits limits = limits_of(options);
  const std::vector<Judgement> judgements = judge(compared.differences, limits, !options.metrics.empty());
  if ((limits.median || limits.worst) && judgements.empty()) {
    return fail(
        {"nothing to judge: every point is fitted or lacks the metric",
         {},
         "--median and --worst judge throughput and user_speed_mean of predicted points, or --metric"},
        kInvalidInput);
  }
  std::optional<FigureProgram> program;
  if (!options.figure.empty()) {
    const auto found = find_figure_program("compare.py");
    if (!found) return fail(found.error(), kMachineCannot);
    program = *found;
  }
  int figure_code = kDone;  // drawn first: the text ends with the sentence
  if (program) {
    const auto code =
        run_figure_program(*program, {options.figure}, difference_json(compared, limits, judgements));
    if (!code) return fail(code.error(), kMachineCannot);
    figure_code = *code;
  }
  if (!print_output(output_text(compared, options, judgements))) return kMachineCannot;
  if (figure_code != kDone) return figure_code;
  const bool passes = std::all_of(judgements.begin(), judgements.end(),
                                  [](const Judgement& judgement) { return judgement.passes; });
  return passes ? kDone : kCheckFailed;
}

}  // namespace dspark
