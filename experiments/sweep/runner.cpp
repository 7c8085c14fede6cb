#include "experiments/sweep/runner.h"

#include <fmt/format.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>
#include <oneapi/tbb/task_scheduler_observer.h>

#include <algorithm>
#include <mutex>

namespace dspark {
namespace {

class Runner {
 public:
  Runner(const Experiment& experiment, SweepResults& results, ResultLog& log, Progress& progress,
         std::atomic<bool>& stop, const RecordedRuns& recorded)
      : experiment_(experiment),
        results_(results),
        log_(log),
        progress_(progress),
        stop_(stop),
        recorded_(recorded) {
    for (std::size_t unit = 0; unit < results.size(); ++unit) {
      if (!results[unit]) (is_measured(unit) ? measured_ : waiting_).push_back(unit);
    }
    const auto replications = static_cast<std::size_t>(experiment.replications);
    std::stable_sort(measured_.begin(), measured_.end(), [replications](std::size_t a, std::size_t b) {
      return a % replications < b % replications;
    });
  }

  std::size_t waiting() const { return waiting_.size(); }

  /// What is measured runs alone, after all that is computed and on the caller's thread, one replication of
  /// all points after the other: a computer that becomes slower does so for every point, and shows in the
  /// intervals.
  void work_alone() {
    {
      const std::lock_guard lock(mutex_);
      waiting_ = measured_;
      next_ = 0;
    }
    work();
  }

  /// What every thread does. Units change hands under the mutex only: it orders all that a run reads and
  /// writes against the thread that started the sweep, also in the eyes of thread sanitizer, which cannot see
  /// into libtbb.
  void work() {
    while (const auto unit = begin_unit()) {
      end_unit(*unit, run_unit(*unit));
    }
  }

  SweepOutcome outcome() {
    const std::lock_guard lock(mutex_);
    const bool all_done =
        std::all_of(results_.begin(), results_.end(), [](const auto& r) { return r.has_value(); });
    outcome_.interrupted = !all_done && !outcome_.run_error && !outcome_.log_error;
    return outcome_;
  }

 private:
  bool is_measured(std::size_t unit) const {
    return experiment_.points[unit / static_cast<std::size_t>(experiment_.replications)]
        .scenario->is_measured();
  }

  Result<ReplicationResult> run_unit(std::size_t unit) const {
    const auto replications = static_cast<std::size_t>(experiment_.replications);
    const Scenario& scenario = *experiment_.points[unit / replications].scenario;
    const auto replication = static_cast<std::uint32_t>(unit % replications);
    if (recorded_.empty() || !recorded_[unit]) return scenario.run(experiment_.seed, replication, &stop_);
    const RecordedRun& before = *recorded_[unit];
    auto result = scenario.replay(experiment_.seed, replication, before.recording, &stop_);
    if (result && result->digest != before.digest) {
      return Error{"with its durations the run does not do what the recorded one did",
                   {},
                   "the models compute other texts here: another processor, program or number format"};
    }
    return result;
  }

  std::optional<std::size_t> begin_unit() {
    const std::lock_guard lock(mutex_);
    if (stop_.load(std::memory_order_relaxed) || failed_unit_ || next_ == waiting_.size())
      return std::nullopt;
    return waiting_[next_++];
  }

  void end_unit(std::size_t unit, Result<ReplicationResult> result) {
    const std::lock_guard lock(mutex_);
    if (!result) {
      // After a stop, runs end with an error that only says so. Else those that are under way finish, and the
      // first in order is the one that is reported, whichever thread was faster.
      if (stop_.load() || (failed_unit_ && *failed_unit_ < unit)) return;
      failed_unit_ = unit;
      outcome_.run_error = named(unit, result.error());
      return;
    }
    const auto replications = static_cast<std::int64_t>(experiment_.replications);
    const auto number = static_cast<std::int64_t>(unit);
    LogRecord record{number / replications, number % replications, std::move(*result)};
    if (auto error = log_.append(record)) {
      if (!outcome_.log_error) outcome_.log_error = std::move(error);
      stop_.store(true);
      return;
    }
    results_[unit] = std::move(record.result);
    progress_.step();
  }

  Error named(std::size_t unit, Error error) const {
    const auto replications = static_cast<std::size_t>(experiment_.replications);
    error.message =
        fmt::format("{}, replication {}: {}", experiment_.points[unit / replications].name(experiment_.axes),
                    unit % replications, error.message);
    if (!error.position.source) error.position.source = std::make_shared<const std::string>(experiment_.path);
    return error;
  }

  const Experiment& experiment_;
  SweepResults& results_;
  ResultLog& log_;
  Progress& progress_;
  std::atomic<bool>& stop_;
  const RecordedRuns& recorded_;
  std::mutex mutex_;
  std::vector<std::size_t> waiting_;
  std::vector<std::size_t> measured_;
  std::size_t next_ = 0;
  std::optional<std::size_t> failed_unit_;
  SweepOutcome outcome_;
};

/// Every thread that enters the arena passes through the mutex that is held while tasks are made for it.
/// libtbb publishes tasks safely by itself, but it is not instrumented: only here does thread sanitizer see
/// that a task was written before a worker reads it. The mutex is older than any worker and outlives them,
/// since the sanitizer does not see either how an observer is handed over.
class Gate final : public tbb::task_scheduler_observer {
 public:
  explicit Gate(tbb::task_arena& arena) : task_scheduler_observer(arena) {
    mutex();  // made before the first worker is
    observe(true);
  }
  ~Gate() override { observe(false); }
  void on_scheduler_entry(bool) override { const std::lock_guard lock(mutex()); }

  template <class Make>
  void closed_while(Make make) {
    const std::lock_guard lock(mutex());
    make();
  }

 private:
  static std::mutex& mutex() {
    static std::mutex only;
    return only;
  }
};

}  // namespace

SweepResults results_so_far(const Experiment& experiment, std::vector<LogRecord> finished) {
  const auto replications = static_cast<std::int64_t>(experiment.replications);
  const auto points = static_cast<std::int64_t>(experiment.points.size());
  SweepResults results(static_cast<std::size_t>(points * replications));
  for (LogRecord& record : finished) {
    if (record.point < 0 || record.point >= points) continue;
    if (record.replication < 0 || record.replication >= replications) continue;
    results[static_cast<std::size_t>(record.point * replications + record.replication)] =
        std::move(record.result);
  }
  return results;
}

namespace {

void run_computed(Runner& runner, int jobs) {
  const int threads = std::max(1, std::min(jobs, static_cast<int>(runner.waiting())));
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism,
                                  static_cast<std::size_t>(threads));
  tbb::task_arena arena(threads);
  Gate gate(arena);
  arena.execute([&] {
    tbb::task_group group;
    gate.closed_while([&] {
      for (int i = 1; i < threads; ++i) group.run([&] { runner.work(); });
    });
    runner.work();
    group.wait();
  });
}

}  // namespace

SweepOutcome run_sweep(const Experiment& experiment, int jobs, SweepResults& results, ResultLog& log,
                       Progress& progress, std::atomic<bool>& stop, const RecordedRuns& recorded) {
  Runner runner(experiment, results, log, progress, stop, recorded);
  run_computed(runner, jobs);
  runner.work_alone();
  return runner.outcome();
}

}  // namespace dspark
