#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "experiments/cli/commands.h"
#include "experiments/cli/exit_code.h"
#include "experiments/cli/provenance.h"
#include "experiments/cli/report.h"
#include "experiments/files.h"
#include "experiments/messages.h"
#include "experiments/recording/recording_file.h"
#include "experiments/results/hdf5_file.h"
#include "experiments/schema/experiment.h"
#include "experiments/schema/input_files.h"
#include "experiments/schema/model_files.h"
#include "experiments/sweep/interrupt.h"
#include "experiments/sweep/progress.h"
#include "sim/engine/watcher.h"
#include "sim/table/rounds_csv.h"

namespace dspark {
namespace {

namespace fs = std::filesystem;

int fail(const Error& error, ExitCode code) {
  print_error(error);
  return code;
}

/// An axis's values, each once, in the order of the points.
std::vector<std::string> values_of_axis(const Experiment& experiment, std::size_t axis) {
  std::vector<std::string> values;
  for (const Point& point : experiment.points) {
    const std::string& value = point.axis_texts[axis];
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
  }
  return values;
}

/// How one point of a sweep is named on the command line.
std::string choice_of_point(const Experiment& experiment) {
  std::string advice = "choose one:";
  for (std::size_t axis = 0; axis < experiment.axes.size(); ++axis) {
    const std::vector<std::string> values = values_of_axis(experiment, axis);
    if (values.size() > 1)
      advice += fmt::format(" --set 'sweep.grid.{}=[{}]'", experiment.axes[axis], values.front());
  }
  return advice;
}

/// What of an experiment cannot be recorded.
std::optional<Error> why_not_recorded(const Experiment& experiment, const RecordOptions& options) {
  const Position whole{std::make_shared<const std::string>(experiment.path)};
  if (experiment.points.size() != 1) {
    return Error{fmt::format("it has {} points, one of which is recorded", experiment.points.size()), whole,
                 choice_of_point(experiment)};
  }
  if (!experiment.points[0].scenario->is_measured()) {
    return Error{"a modelled machine has no rounds to record", whole, "--set machine.use=executor"};
  }
  if (options.replication >= experiment.replications) {
    return Error{fmt::format("there is no replication {}, the experiment has {}", options.replication,
                             experiment.replications),
                 whole, fmt::format("--replication 0 .. {}", experiment.replications - 1)};
  }
  for (const std::string& set : options.set) {
    if (set.find('\n') != std::string::npos) return Error{"a --set option with a line end cannot be kept"};
  }
  return std::nullopt;
}

std::optional<Error> not_a_file(const std::string& path, const char* option) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    return Error{fmt::format("'{}' is a directory", path), {}, fmt::format("{} names a file", option)};
  }
  if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored)) {
    return Error{fmt::format("'{}' is not a regular file", path), {}, fmt::format("{} names a file", option)};
  }
  return std::nullopt;
}

/// A file that is there is overwritten where it is of the kind that will be written, and only then.
std::optional<Error> why_not_written(const RecordOptions& options) {
  if (auto error = not_a_file(options.out, "--out")) return error;
  std::error_code ignored;
  if (fs::exists(options.out, ignored)) {
    const auto there = read_result_file(options.out);
    if (!there || !is_recording(*there)) {
      return Error{
          fmt::format("'{}' is there and is not a recording", options.out), {}, "give another --out"};
    }
  }
  if (options.csv.empty()) return std::nullopt;
  if (auto error = not_a_file(options.csv, "--csv")) return error;
  if (!fs::exists(options.csv, ignored)) return std::nullopt;
  std::string first;
  std::ifstream file(options.csv, std::ios::binary);
  std::getline(file, first);
  if (first.starts_with("request,round,")) return std::nullopt;
  return Error{
      fmt::format("'{}' is there and is not a table of rounds", options.csv), {}, "give another --csv"};
}

/// The files that the experiment names, so that its replay does without them.
Result<std::map<std::string, std::string>> contents_of(const Experiment& experiment) {
  InputFiles files(fs::path(experiment.path).parent_path().string());
  const FileLoader load = files.loader();
  for (const std::string& path : experiment.input_files) {
    if (const auto file = load(path, {}); !file) return file.error();
  }
  return files.contents();
}

/// Requests that were answered, towards those that the run is to answer.
class AnsweredRequests final : public Watcher {
 public:
  explicit AnsweredRequests(Progress& progress) : progress_(progress) {}
  void finished(const FinishedRequest&) override { progress_.step(); }

 private:
  Progress& progress_;
};

int write_recording(const RecordOptions& options, const Experiment& experiment,
                    const RecordedExperiment& recorded, const Rounds& dense, const std::string& provenance) {
  const ResultFile content = recording_file(experiment, recorded, dense);
  const auto bytes = encode_hdf5(content);
  if (!bytes) return fail(bytes.error(), kMachineCannot);
  for (const std::string& path : {options.out, options.csv}) {
    if (const auto error = path.empty() ? std::nullopt : create_folder_of(path))
      return fail(*error, kMachineCannot);
  }
  if (const auto error = write_file_atomically(options.out, *bytes)) return fail(*error, kMachineCannot);
  const std::string sidecar = fs::path(options.out).replace_extension().string() + ".provenance.json";
  if (const auto error = write_file_atomically(sidecar, provenance)) return fail(*error, kMachineCannot);
  const Rounds& rounds = options.dense ? dense : recorded.recording.rounds;
  if (!options.csv.empty()) {
    if (const auto error = write_file_atomically(options.csv, rounds_csv(rounds)))
      return fail(*error, kMachineCannot);
  }
  if (!options.quiet) {
    const std::string from_everywhere =
        options.dense ? fmt::format(", and {} from every position", dense.size()) : "";
    write_message(fmt::format("wrote {} ({} rounds of {} requests in {} steps{}); next: dspark replay {}\n",
                              options.out, recorded.recording.rounds.size(),
                              recorded.recording.requests.size(), recorded.recording.steps.size(),
                              from_everywhere, options.out));
  }
  return kDone;
}

/// A round from every position of the replies that were recorded.
Result<Rounds> dense_rounds_of(const RecordOptions& options, const Experiment& experiment,
                               const RecordedExperiment& recorded) {
  std::size_t replies = 0;
  for (const RecordedRequest& request : recorded.recording.requests) replies += request.output_tokens >= 2;
  if (!options.quiet) write_message(fmt::format("drafting from every position of {} replies\n", replies));
  Progress progress(replies, 0, options.quiet);
  std::size_t told = 0;
  auto dense = experiment.points[0].scenario->record_dense(experiment.seed, recorded.replication,
                                                           recorded.recording, [&](std::size_t done) {
                                                             for (; told < done; ++told) progress.step();
                                                             return !interrupt_requested();
                                                           });
  progress.finish();
  return dense;
}

int serve_and_write(const RecordOptions& options, const Experiment& experiment) {
  const auto started = std::chrono::system_clock::now();
  const auto inputs = contents_of(experiment);
  if (!inputs) return fail(inputs.error(), kInvalidInput);
  RecordedExperiment recorded{
      .experiment = {experiment.path, experiment.yaml, experiment.set_options, *inputs},
      .replication = static_cast<std::uint32_t>(options.replication)};
  const Scenario& scenario = *experiment.points[0].scenario;
  catch_interrupts();
  Progress progress(static_cast<std::size_t>(scenario.requests()), 0, options.quiet);
  AnsweredRequests answered(progress);
  const auto result = scenario.record(experiment.seed, recorded.replication, recorded.recording,
                                      &interrupt_requested(), &answered);
  progress.finish();
  if (!result && interrupt_requested()) {
    write_message("interrupted: nothing is kept\n");
    return kInterrupted;
  }
  if (!result) {
    Error error = result.error();
    if (!error.position.source) error.position.source = std::make_shared<const std::string>(experiment.path);
    return fail(error, kInvalidInput);
  }
  recorded.digest = result->digest;
  if (const auto spoilt = find_spoilt(recorded.recording)) {
    return fail({"the run cannot be kept: " + spoilt->message, {}, spoilt->advice}, kMachineCannot);
  }
  if (recorded.recording.rounds.size() == 0) {
    return fail({"the run has no rounds: its replies have one token"}, kInvalidInput);
  }
  Rounds dense;
  if (options.dense) {
    auto rounds = dense_rounds_of(options, experiment, recorded);
    if (!rounds && interrupt_requested()) {
      write_message("interrupted: nothing is kept\n");
      return kInterrupted;
    }
    if (!rounds) return fail(rounds.error(), kInvalidInput);
    dense = *std::move(rounds);
  }
  return write_recording(options, experiment, recorded, dense,
                         provenance_json(experiment, "", 1, 0, started));
}

}  // namespace

int record_command(const RecordOptions& options) {
  Errors errors;
  auto experiment = read_experiment(options.experiment, options.set, errors);
  if (!experiment) {
    print_errors(errors);
    return kInvalidInput;
  }
  if (const auto error = why_not_recorded(*experiment, options)) return fail(*error, kInvalidInput);
  if (const auto error = why_not_written(options)) return fail(*error, kInvalidInput);
  if (const auto error = include_model_files(*experiment)) return fail(*error, kInvalidInput);
  return serve_and_write(options, *experiment);
}

}  // namespace dspark
