#include "experiments/surface/cached_sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "experiments/files.h"
#include "experiments/messages.h"
#include "experiments/regular_file.h"
#include "experiments/sweep/interrupt.h"

namespace dspark {
namespace {

void say(const CacheOptions& options, const std::string& line) {
  if (!options.quiet) write_message(line + "\n");
}

std::size_t count_done(const SweepResults& results) {
  return static_cast<std::size_t>(
      std::count_if(results.begin(), results.end(), [](const auto& r) { return r.has_value(); }));
}

/// What stands in an entry: `usable` where it is a log of this work, whole or not.
struct Entry {
  bool there = false;
  bool usable = false;
  SweepResults results = {};
};

Entry read_entry(const std::string& path, const Experiment& experiment) {
  Entry entry;
  std::error_code ignored;
  entry.there = std::filesystem::exists(path, ignored);
  entry.results = results_so_far(experiment, {});
  const auto file = RegularFile::open(path);
  if (!file) return entry;
  auto log = parse_log([&](std::size_t at, std::size_t most) { return file->read(at, most); }, file->size());
  if (!log || log->foreign || (log->has_header && log->work != experiment.work)) return entry;
  entry.usable = true;
  entry.results = results_so_far(experiment, std::move(log->records));
  return entry;
}

/// Opens the entry for writing; its results are those that it has then.
bool open_log(const std::string& path, const Experiment& experiment, const CacheOptions& options,
              ResultLog& log, CachedSweep& sweep) {
  const Entry entry = read_entry(path, experiment);
  const bool fresh = entry.there && !entry.usable;
  if (fresh) say(options, fmt::format("'{}' is damaged; it is simulated again", path));
  if (auto refused = log.open(path, experiment.work, fresh)) {
    sweep.error = std::move(refused->error);
    sweep.error->advice = "wait where another run has it; another --cache FOLDER, or --no-cache";
    sweep.machine_cannot = true;
    return false;
  }
  if (log.discarded_bytes() > 0 && !fresh) {
    say(options, fmt::format("the last {} bytes of '{}' were torn or damaged; what they held runs again",
                             log.discarded_bytes(), path));
  }
  sweep.results = results_so_far(experiment, log.take_finished());
  return true;
}

}  // namespace

CachedSweep cached_sweep(const Experiment& experiment, const CacheOptions& options) {
  CachedSweep sweep;
  ResultLog log;  // never opened, it keeps nothing
  if (options.folder.empty()) {
    sweep.results = results_so_far(experiment, {});
  } else {
    const std::string path = options.folder + "/" + hex(experiment.work) + ".runs";
    Entry entry = read_entry(path, experiment);
    if (count_done(entry.results) == entry.results.size()) {
      sweep.results = std::move(entry.results);
      return sweep;
    }
    if (auto error = create_folder_of(path)) {
      sweep.error = std::move(error);
      sweep.machine_cannot = true;
      return sweep;
    }
    if (!open_log(path, experiment, options, log, sweep)) return sweep;
  }
  const std::size_t done = count_done(sweep.results);
  sweep.simulated = sweep.results.size() - done;
  say(options, fmt::format("simulating {} at {} load{}: {} of {} runs to do",
                           experiment.points.front().policy, experiment.points.size(),
                           experiment.points.size() == 1 ? "" : "s", sweep.simulated, sweep.results.size()));
  catch_interrupts();
  Progress progress(sweep.results.size(), done, options.quiet);
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const SweepOutcome outcome = run_sweep(experiment, options.jobs > 0 ? options.jobs : cores, sweep.results,
                                         log, progress, interrupt_requested());
  progress.finish();
  sweep.interrupted = outcome.interrupted;
  sweep.machine_cannot = outcome.log_error.has_value();
  sweep.error = outcome.log_error ? outcome.log_error : outcome.run_error;
  return sweep;
}

}  // namespace dspark
