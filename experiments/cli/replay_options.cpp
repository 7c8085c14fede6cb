#include <CLI/CLI.hpp>
#include <memory>

#include "experiments/cli/command_options.h"
#include "experiments/cli/commands.h"

namespace dspark {
namespace {

constexpr const char* kReplayExamples =
    R"(Without more options: the recorded run again, the same engine and policy with the recorded drafts, outcomes and
durations. Verification lengths must be those recorded, step by step and request by request; the first difference
is named. Neither the model nor the experiment's files are needed.

With --policy, --users or --costs: an experiment on a modelled machine that plays the recorded rounds under other
policies and loads. It is written beside the result and run as `dspark run` does. Exact for policies that verify as deep
as the recording did: record under `fixed` with the whole block size. A recording that its policy cut is refused.

Examples:
  dspark replay rounds.h5
  dspark replay rounds.h5 --policy none --policy fixed:3 --policy dspark --users 1,4,16 --out results/others.h5
  dspark replay rounds.h5 --policy dspark --costs profiles/smollm2 --out results/others.h5
  dspark replay rounds.h5 --policy 'dspark: {cost: hull}' --write-experiment others.yaml   only writes the experiment

Exit codes: 0 done or the same run, 1 another run, 2 invalid input, 3 the machine cannot, 130 interrupted and resumable.)";

}  // namespace

Command add_replay(CLI::App& program) {
  auto options = std::make_shared<ReplayOptions>();
  CLI::App* command =
      program.add_subcommand("replay", "Play a recording of `dspark record` in the simulator");
  command->add_option("RECORDING", options->recording, "What `dspark record` wrote")
      ->type_name("FILE.h5")
      ->required();
  command
      ->add_option("--policy", options->policies,
                   "A policy as experiments write it, in place of the recorded one; may be given again")
      ->type_name("POLICY")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--users", options->users, "Users of a closed loop, in place of the recorded load")
      ->type_name("LIST")
      ->delimiter(',')
      ->check(CLI::Range(1, 1 << 20));
  command
      ->add_option(
          "--costs", options->costs,
          "An experiment with machine.modelled, or the folder of a profile, whose step costs are taken; "
          "fitted to the recorded steps if not given")
      ->type_name("PATH");
  command->add_option("--out", options->out, "Result file of the other policies and loads")
      ->type_name("RESULT.h5");
  command
      ->add_option("--write-experiment", options->experiment,
                   "Where their experiment is written; RESULT.yaml if not given. Without --out it is not run")
      ->type_name("FILE.yaml");
  command->add_option("--jobs", options->jobs, "Threads; all cores if not given")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  command->add_flag("--fresh", options->fresh, "Start again: discard a result of this name");
  command->add_flag("--quiet", options->quiet, "Say nothing but errors");
  command->footer(kReplayExamples);
  return {command, [options] { return replay_command(*options); }};
}

}  // namespace dspark
