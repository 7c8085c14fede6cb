#include "experiments/sweep/runner.h"

#include <gmock/gmock.h>

#include <random>
#include <thread>

#include "experiments/results/hdf5_file.h"
#include "experiments/results/result_tables.h"
#include "tests/experiments/small_experiment.h"

namespace dspark {
namespace {

using testing::HasSubstr;

/// Runs to the end, from whatever the log at `path` holds; the bytes of the result.
std::string run(const Experiment& experiment, const std::string& path, int jobs) {
  ResultLog log;
  EXPECT_FALSE(log.open(path, experiment.work, false));
  SweepResults results = results_so_far(experiment, log.take_finished());
  Progress progress(results.size(), 0, true);
  std::atomic<bool> stop{false};
  const SweepOutcome outcome = run_sweep(experiment, jobs, results, log, progress, stop);
  EXPECT_TRUE(outcome.finished());
  const auto bytes = encode_hdf5(build_result(experiment, results));
  EXPECT_TRUE(bytes);
  return *bytes;
}

TEST(Runner, OneAndManyThreadsGiveTheSameBytes) {
  const ScratchFolder folder;
  const Experiment experiment = small_experiment();
  const std::string one = run(experiment, folder / "1", 1);
  EXPECT_EQ(run(experiment, folder / "2", 2), one);
  EXPECT_EQ(run(experiment, folder / "8", 8), one);
}

TEST(Runner, ResumingFromALogCutAnywhereGivesTheUninterruptedBytes) {
  const ScratchFolder folder;
  const Experiment experiment = small_experiment();
  const std::string uninterrupted = run(experiment, folder / "a", 2);
  const std::string whole = read_bytes(folder / "a");
  std::mt19937 random(20260811);
  for (int i = 0; i < 20; ++i) {
    const std::size_t size = std::uniform_int_distribution<std::size_t>(0, whole.size())(random);
    write_bytes(folder / "b", whole.substr(0, size));
    EXPECT_EQ(run(experiment, folder / "b", 1 + i % 2), uninterrupted) << "cut at " << size;
  }
}

TEST(Runner, RecordsOfUnknownUnitsAreIgnored) {
  const Experiment experiment = small_experiment();
  std::vector<LogRecord> records(3);
  records[0].point = 9;
  records[1].replication = 3;
  records[2].point = -1;
  for (const auto& result : results_so_far(experiment, std::move(records))) EXPECT_FALSE(result);
}

TEST(Runner, StopsWhenToldAndKeepsWhatIsDone) {
  const ScratchFolder folder;
  const Experiment experiment = small_experiment();
  ResultLog log;
  ASSERT_FALSE(log.open(folder / "a", experiment.work, false));
  SweepResults results = results_so_far(experiment, {});
  Progress progress(results.size(), 0, true);
  std::atomic<bool> stop{true};
  const SweepOutcome outcome = run_sweep(experiment, 2, results, log, progress, stop);
  EXPECT_TRUE(outcome.interrupted);
  EXPECT_FALSE(outcome.run_error);
}

/// Counts who runs beside it.
class CountingScenario final : public Scenario {
 public:
  CountingScenario(bool measured, std::atomic<int>& running, std::atomic<int>& most, std::atomic<int>& beside)
      : measured_(measured), running_(running), most_(most), beside_(beside) {}
  Result<ReplicationResult> run(std::uint64_t, std::uint32_t, const std::atomic<bool>*,
                                Watcher*) const override {
    const int now = ++running_;
    most_ = std::max(most_.load(), now);
    for (int i = 0; i < 20; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      if (measured_ && running_ > 1) ++beside_;
    }
    --running_;
    return ReplicationResult{};
  }
  const std::vector<FitLine>& fits() const override { return fits_; }
  bool policy_is_lossless() const override { return true; }
  bool is_measured() const override { return measured_; }

 private:
  bool measured_;
  std::atomic<int>& running_;
  std::atomic<int>& most_;
  std::atomic<int>& beside_;
  std::vector<FitLine> fits_;
};

TEST(Runner, WhatIsMeasuredRunsAlone) {
  const ScratchFolder folder;
  Experiment experiment = small_experiment();
  std::atomic<int> running{0}, most{0}, beside{0};
  for (std::size_t i = 0; i < experiment.points.size(); ++i) {
    experiment.points[i].scenario = std::make_unique<CountingScenario>(i % 3 == 0, running, most, beside);
  }
  ResultLog log;
  ASSERT_FALSE(log.open(folder / "a", experiment.work, false));
  SweepResults results = results_so_far(experiment, {});
  Progress progress(results.size(), 0, true);
  std::atomic<bool> stop{false};
  EXPECT_TRUE(run_sweep(experiment, 4, results, log, progress, stop).finished());
  EXPECT_EQ(beside, 0);
  EXPECT_GT(most, 1) << "the others do run side by side";
}

/// Notes which replications are run, in their order.
class NotedScenario final : public Scenario {
 public:
  NotedScenario(std::size_t point, std::vector<std::pair<std::uint32_t, std::size_t>>& order)
      : point_(point), order_(order) {}
  Result<ReplicationResult> run(std::uint64_t, std::uint32_t replication, const std::atomic<bool>*,
                                Watcher*) const override {
    order_.emplace_back(replication, point_);
    return ReplicationResult{};
  }
  const std::vector<FitLine>& fits() const override { return fits_; }
  bool policy_is_lossless() const override { return true; }
  bool is_measured() const override { return true; }

 private:
  std::size_t point_;
  std::vector<std::pair<std::uint32_t, std::size_t>>& order_;
  std::vector<FitLine> fits_;
};

TEST(Runner, WhatIsMeasuredRunsReplicationByReplication) {
  const ScratchFolder folder;
  Experiment experiment = small_experiment();
  ASSERT_GT(experiment.replications, 1);
  std::vector<std::pair<std::uint32_t, std::size_t>> order;
  for (std::size_t i = 0; i < experiment.points.size(); ++i)
    experiment.points[i].scenario = std::make_unique<NotedScenario>(i, order);
  ResultLog log;
  ASSERT_FALSE(log.open(folder / "a", experiment.work, false));
  SweepResults results = results_so_far(experiment, {});
  Progress progress(results.size(), 0, true);
  std::atomic<bool> stop{false};
  EXPECT_TRUE(run_sweep(experiment, 4, results, log, progress, stop).finished());
  EXPECT_EQ(order.size(), results.size());
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end())) << "by replication, then by point";
}

TEST(Runner, ARunThatFailsNamesItsPoint) {
  const ScratchFolder folder;
  Experiment experiment = small_experiment();
  experiment.points[4].scenario = std::make_unique<ClosedFormScenario>(-1, 1);
  ResultLog log;
  ASSERT_FALSE(log.open(folder / "a", experiment.work, false));
  SweepResults results = results_so_far(experiment, {});
  Progress progress(results.size(), 0, true);
  std::atomic<bool> stop{false};
  const SweepOutcome outcome = run_sweep(experiment, 2, results, log, progress, stop);
  ASSERT_TRUE(outcome.run_error);
  EXPECT_THAT(
      to_string(*outcome.run_error),
      HasSubstr(
          "small.yaml: policy=fixed:1, workload.arrivals.closed_loop.users=16, replication 0: cannot run"));
}

}  // namespace
}  // namespace dspark
