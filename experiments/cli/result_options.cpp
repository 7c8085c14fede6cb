#include <CLI/CLI.hpp>
#include <memory>

#include "experiments/cli/command_options.h"
#include "experiments/cli/commands.h"

namespace dspark {
namespace {

constexpr const char* kShowExamples = R"(Examples:
  dspark show results/quickstart.h5
  dspark show results/quickstart.h5 --metric itl_p99 --metric wasted_share
  dspark show results/quickstart.h5 --csv > quickstart.csv
      one row per point and metric: axes, metric, unit, mean, low, high, n
  dspark show results/quickstart.h5 --policies
      every policy against none at each load: differences within replications, whether they are significant after
      Holm's correction, the share of the oracle's gain, rejected draft tokens; --csv and --json for programs
  dspark show results/quickstart.h5 --policies --against fixed:3 --metric user_speed_mean)";

}  // namespace

Command add_show(CLI::App& program) {
  auto options = std::make_shared<ShowOptions>();
  CLI::App* command =
      program.add_subcommand("show", "Print a result: a table per metric, crossovers and fits");
  command->add_option("FILE.h5", options->file, "A result file")->required();
  CLI::Option* csv =
      command->add_flag("--csv", options->csv, "Tidy rows: axes, metric, unit, mean, low, high, n");
  command->add_flag("--json", options->json, "Everything but series, as JSON")->excludes(csv);
  command->add_option("--metric", options->metrics, "Only this metric; may be given again")
      ->type_name("NAME")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  CLI::Option* policies = command->add_flag(
      "--policies", options->policies,
      "Compare all policies with one: paired differences, p values, share of the oracle's gain");
  command->add_option("--against", options->against, "That policy; none, else the first, if not given")
      ->type_name("POLICY")
      ->needs(policies);
  command->footer(kShowExamples);
  return {command, [options] { return show_command(*options); }};
}

Command add_figures(CLI::App& program) {
  auto options = std::make_shared<FiguresOptions>();
  CLI::App* command = program.add_subcommand(
      "figures", "Draw a result's figures as PNG and PDF (needs python3 with h5py, matplotlib)");
  command->add_option("FILE.h5", options->file, "A result file")->required();
  command->add_option("--out", options->out, "Folder for the figures; that of the file if not given")
      ->type_name("DIR");
  command
      ->add_option("--figure", options->figures,
                   "frontier, load, crossover, verification_length, acceptance_by_position, "
                   "metric_by_load:METRIC or through_time:COLUMN; those of the experiment if not given; "
                   "may be given again")
      ->type_name("NAME")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command
      ->add_option("--where", options->where,
                   "Only the points with this value of an axis, or one of several; may be given again")
      ->type_name("AXIS=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command
      ->add_option("--lines", options->lines,
                   "A line for each value of this axis instead of each policy; needs one policy (--where)")
      ->type_name("AXIS");
  command
      ->add_option("--relative-to", options->relative_to,
                   "Draw metric_by_load in % of this line, with intervals of the ratio within replications")
      ->type_name("LINE");
  command->footer(
      "Examples:\n  dspark figures results/quickstart.h5 --out results/figures\n"
      "  dspark figures results/quickstart.h5 --figure metric_by_load:itl_p99 --where policy=none --where "
      "policy=dspark\n"
      "  dspark figures results/quickstart.h5 --figure metric_by_load:throughput --relative-to fixed:3");
  return {command, [options] { return figures_command(*options); }};
}

}  // namespace dspark
