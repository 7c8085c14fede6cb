#include <CLI/CLI.hpp>
#include <memory>

#include "experiments/cli/command_options.h"
#include "experiments/cli/commands.h"

namespace dspark {
namespace {

constexpr const char* kReplayExamples =
    R"(The recorded run again in the simulator: the same engine and policy, with the recorded drafts, outcomes and
durations. Verification lengths must be those recorded, step by step and request by request; the first difference
is named. Neither the model nor the experiment's files are needed.

Examples:
  dspark replay rounds.h5

Exit codes: 0 the same run, 1 another one, 2 invalid input.)";

}  // namespace

Command add_replay(CLI::App& program) {
  auto options = std::make_shared<ReplayOptions>();
  CLI::App* command = program.add_subcommand("replay", "Play a recording of `dspark record` in the simulator");
  command->add_option("RECORDING", options->recording, "What `dspark record` wrote")
      ->type_name("FILE.h5")
      ->required();
  command->add_flag("--quiet", options->quiet, "Say nothing but errors");
  command->footer(kReplayExamples);
  return {command, [options] { return replay_command(*options); }};
}

}  // namespace dspark
