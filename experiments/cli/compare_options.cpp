#include <CLI/CLI.hpp>
#include <memory>

#include "experiments/cli/command_options.h"
#include "experiments/cli/commands.h"

namespace dspark {
namespace {

constexpr const char* kCompareExamples =
    R"(Points are paired by policy and by all other axes. B is the reference: error = A / B - 1. Where both ran with the
same seed and replications on the same kind of machine, differences are taken within replications; otherwise A and B
are independent. Points without a partner are listed.

Examples:
  dspark compare results/modelled.h5 results/measured.h5
      how far a modelled machine is from the measured one: by point, by metric, and whether it ranks policies alike
  dspark compare results/modelled.h5 results/measured.h5 --fitted none --median 5 --worst 12
      the points of `none` were used to fit the model and are told apart; exit code 1 where the others are further off
  dspark compare results/modelled.h5 results/measured.h5 --explain --figure results/compare.png
      where errors of throughput come from; a figure as PNG and PDF
  dspark compare results/quickstart.h5 results/quickstart.h5 --policy-a dspark --policy-b fixed:3
      one policy against another, within replications; docs/comparing.md says how to read it)";

void add_output_options(CLI::App& command, CompareOptions& options) {
  CLI::Option* csv = command.add_flag("--csv", options.csv, "A row for each metric and point");
  CLI::Option* json = command.add_flag("--json", options.json, "Everything, as JSON")->excludes(csv);
  CLI::Option* sentence =
      command.add_flag("--sentence", options.sentence, "Only how far apart they are, in one sentence")
          ->excludes(csv)
          ->excludes(json);
  command
      .add_flag("--explain", options.explain,
                "Also where errors of throughput come from (--csv and --json always have it)")
      ->excludes(sentence);
  command
      .add_option("--figure", options.figure,
                  "Draw both and their error, as PNG and PDF (needs python3 with h5py, matplotlib)")
      ->type_name("NAME.png");
}

}  // namespace

Command add_compare(CLI::App& program) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* command = program.add_subcommand(
      "compare", "How far apart two results are: modelled and measured, or two policies");
  command->add_option("A.h5", options->a, "A result file")->required();
  command->add_option("B.h5", options->b, "The result that A is compared with")->required();
  const auto repeated = [&](const char* name, std::vector<std::string>& values, const char* meaning,
                            const char* type) {
    return command->add_option(name, values, meaning)
        ->type_name(type)
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  };
  repeated(
      "--metric", options->metrics,
      "Compare this metric; throughput, user_speed_mean, ttft_mean and accepted_length if not given; may be "
      "given again",
      "NAME");
  CLI::Option* policy_a =
      command->add_option("--policy-a", options->policy_a, "Only this policy of A, with that of --policy-b")
          ->type_name("POLICY");
  CLI::Option* policy_b =
      command->add_option("--policy-b", options->policy_b, "Only this policy of B")->type_name("POLICY");
  policy_a->needs(policy_b);
  policy_b->needs(policy_a);
  repeated("--pair", options->pairs,
           "Compare the points of A that have one value of an axis with those of B that have another: "
           "machine.use=modelled:executor; may be given again",
           "AXIS=A:B");
  repeated("--fitted", options->fitted,
           "A's model was fitted to this policy's points; all others are predicted; may be given again",
           "POLICY");
  command
      ->add_option(
          "--steady", options->steady,
          "Leave out measured runs around which the computer was faster or slower than usual by more "
          "than this, by the baseline step that is measured before and after each")
      ->type_name("PERCENT")
      ->check(CLI::Range(0.0, 10000.0));
  command->add_option("--median", options->median, "Exit code 1 where the median |error| exceeds this")
      ->type_name("PERCENT")
      ->check(CLI::Range(0.0, 10000.0));
  command
      ->add_option(
          "--worst", options->worst,
          "Exit code 1 where the worst |error| exceeds this. Both judge points that were not fitted, by "
          "throughput and user_speed_mean, or by each --metric")
      ->type_name("PERCENT")
      ->check(CLI::Range(0.0, 10000.0));
  add_output_options(*command, *options);
  command->footer(kCompareExamples);
  return {command, [options] { return compare_command(*options); }};
}

}  // namespace dspark
