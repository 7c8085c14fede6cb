#include <CLI/CLI.hpp>
#include <memory>

#include "experiments/cli/command_options.h"
#include "experiments/cli/commands.h"

namespace dspark {
namespace {

constexpr const char* kRecordExamples =
    R"(Serves one point of an experiment on machine.executor, one replication of it, and keeps every round: what the
drafter said and drew, what was verified and accepted, what the steps took. `dspark replay` plays it without the model;
`dspark calibrate` and machine.modelled.acceptance.rounds read the file as it is.

Examples:
  dspark record experiments/smollm2.yaml --set 'sweep.grid.policy=[fixed:7]' \
      --set 'sweep.grid.workload.arrivals.closed_loop.users=[4]' --out rounds.h5
      verified as deep as it goes, so that other policies can be replayed on it
  dspark record my.yaml --out rounds.h5 --csv rounds.csv --replication 2
  dspark record my.yaml --out dense.h5 --dense
      whatever the policy: a round from every position of the replies, for the replay of all policies

Exit codes: 0 done, 2 invalid input, 3 the machine cannot, 130 interrupted (nothing is kept).)";

}  // namespace

Command add_record(CLI::App& program) {
  auto options = std::make_shared<RecordOptions>();
  CLI::App* command = program.add_subcommand("record", "Serve real models and keep every round");
  command->add_option("EXPERIMENT", options->experiment, "The YAML file; one point of it is served")
      ->required();
  command->add_option("--out", options->out, "The recording")->type_name("FILE.h5")->required();
  add_set_option(*command, options->set);
  command->add_option("--csv", options->csv, "Its rounds as CSV too")->type_name("FILE.csv");
  command
      ->add_option("--replication", options->replication, "Which replication is served, from 0 (default 0)")
      ->type_name("N")
      ->check(CLI::Range(0, 9999));
  command->add_flag(
      "--dense", options->dense,
      "Draft from every position of the replies too, so that any policy's path replays exactly");
  command->add_flag("--quiet", options->quiet, "Say nothing but errors");
  command->footer(kRecordExamples);
  return {command, [options] { return record_command(*options); }};
}

}  // namespace dspark
