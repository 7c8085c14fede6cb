#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "experiments/cli/commands.h"
#include "experiments/cli/exit_code.h"
#include "experiments/cli/provenance.h"
#include "experiments/cli/report.h"
#include "experiments/files.h"
#include "experiments/messages.h"
#include "experiments/results/hdf5_file.h"
#include "experiments/results/recorded_runs.h"
#include "experiments/results/result_tables.h"
#include "experiments/results/user_block.h"
#include "experiments/schema/experiment.h"
#include "experiments/schema/model_files.h"
#include "experiments/sweep/interrupt.h"
#include "experiments/sweep/runner.h"

namespace dspark {
namespace {

namespace fs = std::filesystem;

int fail(const Error& error, ExitCode code) {
  print_error(error);
  return code;
}

std::string default_out(const std::string& experiment) {
  return (fs::path("results") / fs::path(experiment).stem()).string() + ".h5";
}

std::string partial_of(const std::string& out) { return out + ".partial"; }
std::string sidecar_of(const std::string& out) {
  return fs::path(out).replace_extension().string() + ".provenance.json";
}

void say(const RunOptions& options, const std::string& line) {
  if (!options.quiet) write_message(line + "\n");
}

/// The runs that --durations names, none without it. Only a partial result of the same recording is gone on
/// with.
Result<RecordedRuns> recorded_runs(const std::string& path, Experiment& experiment) {
  if (path.empty()) return RecordedRuns();
  const auto bytes = read_checked_file(path);
  if (!bytes) return bytes.error();
  const auto file = decode_hdf5(*bytes, path);
  if (!file) return file.error();
  DigestText work;
  work.add(hex(experiment.work));
  work.add(hex(digest_of(*bytes)));
  experiment.work = digest_of(work.text());
  return read_recorded_runs(*file, path, experiment);
}

/// An error where a result holds other measured runs than those that --durations asks for.
std::optional<Error> other_durations(const RecordedRuns& recorded, const ResultFile& result,
                                     const std::string& out, const Experiment& experiment) {
  if (recorded.empty()) return std::nullopt;
  const auto there = read_recorded_runs(result, out, experiment);
  if (there && *there == recorded) return std::nullopt;
  return Error{
      fmt::format("'{}' holds other durations", out), {}, "--fresh overwrites it; another --out keeps it"};
}

/// What to do about a result that is there already: an exit code, or nullopt to run.
std::optional<int> existing_result(const RunOptions& options, const std::string& out,
                                   const Experiment& experiment, const RecordedRuns& recorded) {
  std::error_code ignored;
  if (!fs::exists(out, ignored)) return std::nullopt;
  if (fs::is_directory(out, ignored)) {
    return fail({fmt::format("'{}' is a directory", out), {}, "--out names a file"}, kInvalidInput);
  }
  if (!fs::is_regular_file(out, ignored)) {  // a device would be replaced by a file
    return fail({fmt::format("'{}' is not a regular file", out), {}, "--out names a file"}, kInvalidInput);
  }
  if (fs::equivalent(out, options.durations, ignored)) {
    return fail({fmt::format("'{}' is the recording itself", out), {}, "give another --out"}, kInvalidInput);
  }
  if (options.fresh) {
    std::string first(64, '\0');
    std::ifstream file(out, std::ios::binary);
    file.read(first.data(), static_cast<std::streamsize>(first.size()));
    first.resize(static_cast<std::size_t>(file.gcount()));
    if (starts_like_a_result(first)) return std::nullopt;
    return fail({fmt::format("'{}' is not a dspark result", out), {}, "--fresh overwrites results only"},
                kInvalidInput);
  }
  const auto before = read_result_file(out);
  if (!before) {
    return fail({before.error().message, {}, "--fresh overwrites it; another --out keeps it"}, kInvalidInput);
  }
  if (before->text("experiment_digest") != hex(experiment.digest)) {
    return fail({fmt::format("'{}' holds the result of another experiment or version", out),
                 {},
                 "--fresh overwrites it; another --out keeps it"},
                kInvalidInput);
  }
  if (const auto other = other_durations(recorded, *before, out, experiment))
    return fail(*other, kInvalidInput);
  if (fs::exists(partial_of(out), ignored) && !fs::exists(sidecar_of(out), ignored)) {
    return std::nullopt;  // stopped between result and sidecar; the log holds every run
  }
  fs::remove(partial_of(out), ignored);  // killed between the result's rename and this
  say(options, fmt::format("already complete: {} (--fresh runs it again)", out));
  return kDone;
}

std::string resume_hint(const RunOptions& options, std::size_t done, std::size_t total) {
  std::string command = "dspark run " + options.experiment;
  if (!options.out.empty()) command += " --out " + options.out;
  for (const std::string& set : options.set) command += fmt::format(" --set '{}'", set);
  if (!options.durations.empty()) command += " --durations " + options.durations;
  return fmt::format("interrupted: {} of {} runs are kept; resume with: {}", done, total, command);
}

std::size_t count_done(const SweepResults& results) {
  std::size_t done = 0;
  for (const auto& result : results) done += result.has_value();
  return done;
}

/// Requests that never fit are no part of the other metrics, so they are not passed over in silence.
void say_what_was_rejected(const RunOptions& options, const SweepResults& results) {
  double most = 0;
  std::size_t runs = 0;
  for (const auto& result : results) {
    for (const MetricValue& metric : result->metrics) {
      if (metric.name != "rejected_requests" || metric.value == 0) continue;
      most = std::max(most, metric.value);
      ++runs;
    }
  }
  if (runs == 0) return;
  say(options,
      fmt::format(
          "note: in {} of {} runs requests were larger than the KV cache and rejected (up to {} in one "
          "run); metrics are of the others",
          runs, results.size(), most));
}

/// The sidecar last: it never speaks of a result that is not there.
int write_result(const RunOptions& options, const std::string& out, const Experiment& experiment,
                 const SweepResults& results, const std::string& provenance) {
  const ResultFile content = build_result(experiment, results);
  const auto bytes = encode_hdf5(content);
  if (!bytes) {
    return fail(bytes.error(), least_bytes(content) > kMaxResultBytes ? kInvalidInput : kMachineCannot);
  }
  if (const auto error = write_file_atomically(out, *bytes)) return fail(*error, kMachineCannot);
  if (const auto error = write_file_atomically(sidecar_of(out), provenance))
    return fail(*error, kMachineCannot);
  say_what_was_rejected(options, results);
  say(options, fmt::format("wrote {} ({} points × {} replications); next: dspark show {}", out,
                           experiment.points.size(), experiment.replications, out));
  return kDone;
}

int run_and_write(const RunOptions& options, const std::string& out, const Experiment& experiment,
                  const RecordedRuns& recorded) {
  const auto started = std::chrono::system_clock::now();
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int jobs = options.jobs > 0 ? options.jobs : cores;
  if (const auto error = create_folder_of(out)) return fail(*error, kMachineCannot);
  ResultLog log;
  if (const auto refused = log.open(partial_of(out), experiment.work, options.fresh)) {
    return fail(refused->error,
                refused->refusal == ResultLog::Refusal::kInvalidInput ? kInvalidInput : kMachineCannot);
  }
  SweepResults results = results_so_far(experiment, log.take_finished());
  const std::size_t resumed = count_done(results);
  if (resumed > 0) say(options, fmt::format("resuming: {} of {} runs are done", resumed, results.size()));
  if (log.discarded_bytes() > 0) {
    say(options, fmt::format("the last {} bytes of the log were torn or damaged; what they held runs again",
                             log.discarded_bytes()));
  }
  catch_interrupts();
  Progress progress(results.size(), resumed, options.quiet);
  const SweepOutcome outcome =
      run_sweep(experiment, jobs, results, log, progress, interrupt_requested(), recorded);
  progress.finish();
  if (outcome.log_error) return fail(*outcome.log_error, kMachineCannot);
  if (outcome.run_error) {
    if (count_done(results) == 0) log.remove();  // nothing to resume from: no half file stays behind
    return fail(*outcome.run_error, kInvalidInput);
  }
  if (outcome.interrupted) {
    write_message(resume_hint(options, count_done(results), results.size()) + "\n");
    return kInterrupted;
  }
  const std::string provenance = provenance_json(experiment, options.durations, jobs, resumed, started);
  const int code = write_result(options, out, experiment, results, provenance);
  if (code == kDone) log.remove();
  return code;
}

}  // namespace

int run_command(const RunOptions& options) {
  Errors errors;
  auto experiment = read_experiment(options.experiment, options.set, errors);
  if (!experiment) {
    print_errors(errors);
    return kInvalidInput;
  }
  if (const auto error = include_model_files(*experiment)) return fail(*error, kInvalidInput);
  const auto recorded = recorded_runs(options.durations, *experiment);
  if (!recorded) return fail(recorded.error(), kInvalidInput);
  const std::string out = options.out.empty() ? default_out(options.experiment) : options.out;
  if (const auto code = existing_result(options, out, *experiment, *recorded)) return *code;
  return run_and_write(options, out, *experiment, *recorded);
}

int check_command(const std::string& path, const std::vector<std::string>& set) {
  Errors errors;
  const auto experiment = read_experiment(path, set, errors);
  if (!experiment) {
    print_errors(errors);
    return kInvalidInput;
  }
  const std::size_t points = experiment->points.size();
  const std::string summary =
      fmt::format("{}: valid, {} point{} × {} replication{}\n", path, points, points == 1 ? "" : "s",
                  experiment->replications, experiment->replications == 1 ? "" : "s");
  return print_output(summary) ? kDone : kMachineCannot;
}

}  // namespace dspark
