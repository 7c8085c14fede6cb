#include <fmt/format.h>

#include "experiments/cli/commands.h"
#include "experiments/cli/exit_code.h"
#include "experiments/cli/report.h"
#include "experiments/recording/recording_file.h"
#include "experiments/sweep/interrupt.h"
#include "sim/recording/recorded_runner.h"

namespace dspark {
namespace {

int fail(const Error& error, ExitCode code) {
  print_error(error);
  return code;
}

/// The recorded run again; nothing is written.
int play_again(const ReplayOptions& options, const RecordedExperiment& recorded,
               const Experiment& experiment) {
  catch_interrupts();
  const Scenario& scenario = *experiment.points[0].scenario;
  const auto replay =
      scenario.play(experiment.seed, recorded.replication, recorded.recording, &interrupt_requested());
  if (!replay && interrupt_requested()) return kInterrupted;
  if (!replay) return fail(replay.error(), kInvalidInput);
  if (replay->difference) {
    return fail({fmt::format("'{}' is not what this program does: {}", options.recording,
                             to_string(*replay->difference)),
                 {},
                 "its policies or its engine decide otherwise than those of the program that recorded"},
                kCheckFailed);
  }
  if (replay->result.digest != recorded.digest) {
    return fail({fmt::format("'{}': all verification lengths are those recorded, but the event trace is not",
                             options.recording)},
                kCheckFailed);
  }
  if (options.quiet) return kDone;
  const std::string summary = fmt::format(
      "{}: {}, {} steps, {} rounds: the same verification lengths, step by step\n", options.recording,
      experiment.points[0].name(experiment.axes), replay->steps, replay->rounds);
  return print_output(summary) ? kDone : kMachineCannot;
}

}  // namespace

int replay_command(const ReplayOptions& options) {
  if (options.asks_for_others()) return replay_others_command(options);
  const auto recorded = read_recording(options.recording);
  if (!recorded) return fail(recorded.error(), kInvalidInput);
  Errors errors;
  const auto experiment = read_experiment(recorded->experiment, errors);
  if (!experiment) {
    print_errors(errors);
    return kInvalidInput;
  }
  if (experiment->points.size() != 1) {
    return fail({fmt::format("'{}' is not as dspark writes it: its experiment has {} points",
                             options.recording, experiment->points.size())},
                kInvalidInput);
  }
  return play_again(options, *recorded, *experiment);
}

}  // namespace dspark
