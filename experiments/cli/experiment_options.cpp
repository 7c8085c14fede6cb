#include <CLI/CLI.hpp>
#include <memory>

#include "experiments/cli/command_options.h"
#include "experiments/cli/commands.h"

namespace dspark {
namespace {

constexpr const char* kRunExamples = R"(Examples:
  dspark run experiments/quickstart.yaml
      writes results/quickstart.h5 and results/quickstart.provenance.json
  dspark run study.yaml --jobs 2 --out /tmp/study.h5
  dspark run study.yaml --set policy=dspark --set 'stop={requests: 500}'
  dspark run study.yaml --set 'sweep.grid.policy=[none, fixed:3, {dspark: {cost: hull}}]'

  dspark run experiments/smollm2.yaml --durations results/smollm2.h5 --out results/again.h5
      the real models serve the same requests again, on the clock of the first run: the same bytes

A run that was interrupted or killed goes on where it stopped when the same command is given again.
The result does not depend on --jobs, nor on interruptions: the same experiment gives the same bytes. What is
measured on a real machine gives other numbers each time, and keeps its durations, given which it is the same too.)";

}  // namespace

void add_set_option(CLI::App& command, std::vector<std::string>& set) {
  command.add_option("--set", set, "Replace a value of the file: path.to.key=value; may be given again")
      ->type_name("PATH=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

Command add_run(CLI::App& program) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command =
      program.add_subcommand("run", "Run an experiment, or go on with one that was interrupted");
  command->add_option("EXPERIMENT", options->experiment, "The YAML file")->required();
  command->add_option("--out", options->out, "Result file; results/EXPERIMENT.h5 if not given")
      ->type_name("FILE.h5");
  command->add_option("--jobs", options->jobs, "Threads; all cores if not given")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  add_set_option(*command, options->set);
  command
      ->add_option("--durations", options->durations,
                   "Serve the measured points again with the step durations of this result, not those of now")
      ->type_name("RESULT.h5");
  command->add_flag("--fresh", options->fresh,
                    "Start again: discard a partial or finished result of this name");
  command->add_flag("--quiet", options->quiet, "Say nothing but errors");
  command->footer(kRunExamples);
  return {command, [options] { return run_command(*options); }};
}

Command add_check(CLI::App& program) {
  struct Options {
    std::string experiment;
    std::vector<std::string> set;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command =
      program.add_subcommand("check", "Find all mistakes of an experiment file without running it");
  command->add_option("EXPERIMENT", options->experiment, "The YAML file")->required();
  add_set_option(*command, options->set);
  command->footer("Example:\n  dspark check my.yaml --set policy=fixed:3");
  return {command, [options] { return check_command(options->experiment, options->set); }};
}

Command add_list(CLI::App& program) {
  struct Options {
    std::string what = "all";
    bool markdown = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command =
      program.add_subcommand("list", "Show what an experiment can name, with parameters, units and defaults");
  command->add_option("WHAT", options->what, "policies, workloads, machines, markets, plans, metrics or all");
  command->add_flag("--markdown", options->markdown, "As the reference pages in docs/");
  command->footer("Examples:\n  dspark list policies\n  dspark list all --markdown > reference.md");
  return {command, [options] { return list_command(options->what, options->markdown); }};
}

}  // namespace dspark
