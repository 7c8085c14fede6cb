#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "experiments/sweep/record.h"
#include "tests/experiments/program.h"
#include "tests/experiments/small_experiment.h"

namespace dspark {
namespace {

const std::string kExperiment = DSPARK_SOURCE_DIR "/tests/experiments/kill_resume.yaml";
const std::string kMeasured = DSPARK_SOURCE_DIR "/tests/experiments/measured.yaml";

/// Starts `dspark run` and sends `signal` after `delay`; the program's exit code, 128 + signal where it died
/// of one.
int run_and_signal(const std::string& experiment, const std::string& out, int jobs,
                   std::chrono::microseconds delay, int signal, const std::vector<std::string>& more = {}) {
  std::vector<std::string> words{program_path(),       "run",    experiment, "--out", out, "--jobs",
                                 std::to_string(jobs), "--quiet"};
  words.insert(words.end(), more.begin(), more.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  EXPECT_EQ(::posix_spawn(&child, words[0].c_str(), &actions, nullptr, arguments.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  std::this_thread::sleep_for(delay);
  ::kill(child, signal);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// The bytes of an uninterrupted run, and how long it took.
std::pair<std::string, std::chrono::microseconds> uninterrupted(const std::string& out) {
  const auto begin = std::chrono::steady_clock::now();
  const ProgramRun run = run_program("/", "run '" + kExperiment + "' --out '" + out + "' --jobs 1 --quiet");
  EXPECT_EQ(run.code, 0) << run.output;
  const auto took = std::chrono::steady_clock::now() - begin;
  return {read_bytes(out), std::chrono::duration_cast<std::chrono::microseconds>(took)};
}

using Unit = std::pair<std::int64_t, std::int64_t>;  // point, replication

/// The units that the log holds; each may stand in it once.
std::set<Unit> finished_units(const std::string& log) {
  std::set<Unit> units;
  for (const LogRecord& record : parse_log(read_bytes(log)).records) {
    EXPECT_TRUE(units.emplace(record.point, record.replication).second)
        << "point " << record.point << ", replication " << record.replication << " is counted twice";
  }
  return units;
}

TEST(KillResume, FiftyKillsAtRandomMomentsLoseNothingFinishedAndLeaveTheBytesOfAnUninterruptedRun) {
  const ScratchFolder folder;
  const auto [expected, took] = uninterrupted(folder / "whole.h5");
  const std::string out = folder / "killed.h5";
  std::mt19937 random(20260811);
  int kills = 0;
  std::set<Unit> before;
  for (int attempt = 0; attempt < 500 && kills < 50; ++attempt) {
    // A sixth of the whole time at most, so that many kills fall into one sweep; a finished one starts
    // afresh.
    const auto delay =
        std::chrono::microseconds(std::uniform_int_distribution<long>(0, took.count() / 6)(random));
    const int code = run_and_signal(kExperiment, out, 1 + attempt % 2, delay, SIGKILL);
    if (code == 128 + SIGKILL) {
      ++kills;
      if (std::filesystem::exists(out)) {
        EXPECT_EQ(read_bytes(out), expected);
      } else {
        const std::set<Unit> after = finished_units(out + ".partial");
        EXPECT_TRUE(std::includes(after.begin(), after.end(), before.begin(), before.end()))
            << "finished work was lost at kill " << kills;
        before = after;
      }
      continue;
    }
    ASSERT_EQ(code, 0);
    ASSERT_EQ(read_bytes(out), expected) << "after " << kills << " kills";
    std::filesystem::remove(out);
    before.clear();
  }
  EXPECT_EQ(kills, 50);
  EXPECT_EQ(run_program("/", "run '" + kExperiment + "' --out '" + out + "' --quiet").code, 0);
  EXPECT_EQ(read_bytes(out), expected);
  EXPECT_FALSE(std::filesystem::exists(out + ".partial"));
}

TEST(KillResume, AnInterruptStopsCleanlyWithCode130AndResumes) {
  const ScratchFolder folder;
  const auto [expected, took] = uninterrupted(folder / "whole.h5");
  for (const int signal : {SIGINT, SIGTERM}) {
    const std::string out = folder / ("interrupted" + std::to_string(signal) + ".h5");
    EXPECT_EQ(run_and_signal(kExperiment, out, 1, took / 2, signal), 130);
    EXPECT_FALSE(std::filesystem::exists(out));
    EXPECT_TRUE(std::filesystem::exists(out + ".partial"));
    EXPECT_EQ(run_program("/", "run '" + kExperiment + "' --out '" + out + "' --quiet").code, 0);
    EXPECT_EQ(read_bytes(out), expected);
  }
}

/// Runs the measured sweep, killed at ten random moments, and to its end; what was finished must still be so
/// after each. Whenever it comes to its end in between, `finished` looks at the result and it starts afresh.
void kill_ten_times(const std::string& out, const std::vector<std::string>& more,
                    std::chrono::microseconds longest, const std::function<void()>& finished) {
  std::mt19937 random(20260811);
  std::set<Unit> before;
  int kills = 0;
  for (int attempt = 0; attempt < 300 && kills < 10; ++attempt) {
    const auto delay =
        std::chrono::microseconds(std::uniform_int_distribution<long>(0, longest.count())(random));
    const int code = run_and_signal(kMeasured, out, 2, delay, SIGKILL, more);
    if (code != 128 + SIGKILL) {
      ASSERT_EQ(code, 0);
      finished();
      std::filesystem::remove(out);
      before.clear();
      continue;
    }
    ++kills;
    if (std::filesystem::exists(out)) continue;
    const std::set<Unit> after = finished_units(out + ".partial");
    EXPECT_TRUE(std::includes(after.begin(), after.end(), before.begin(), before.end()));
    before = after;
  }
  EXPECT_EQ(kills, 10);
  std::string command = "run '" + kMeasured + "' --quiet --out '" + out + "'";
  for (const std::string& word : more) command += " '" + word + "'";
  EXPECT_EQ(run_program("/", command).code, 0);
  EXPECT_FALSE(std::filesystem::exists(out + ".partial"));
  finished();
}

TEST(KillResume, AMeasuredSweepResumesAndServedAgainGivesItsOwnBytesKilledOrNot) {
  const ScratchFolder folder;
  const std::vector<std::string> sweep{"--set", "replications=25"};
  const std::string whole = folder / "whole.h5", out = folder / "measured.h5", again = folder / "again.h5";
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(
      run_program("/", "run '" + kMeasured + "' --set replications=25 --quiet --out '" + whole + "'").code,
      0);
  const auto sixth =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin) / 6;
  kill_ten_times(out, sweep, sixth, [] {});
  const std::string recorded = read_bytes(out);
  EXPECT_NE(recorded, read_bytes(whole)) << "measured anew";
  std::vector<std::string> replay = sweep;
  replay.insert(replay.end(), {"--durations", out});
  kill_ten_times(again, replay, sixth, [&] { EXPECT_EQ(read_bytes(again), recorded); });
}

}  // namespace
}  // namespace dspark
