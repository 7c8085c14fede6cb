#include "experiments/sweep/runner.h"

#include <gmock/gmock.h>

#include <random>

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
