#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
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

/// Gives the command again and again, killed after random times, until it ends by itself: how many kills
/// it took. What was finished must still be so after each.
int kill_until_done(const std::string& out, const std::vector<std::string>& more,
                    std::chrono::microseconds longest, std::mt19937& random) {
  std::set<Unit> before;
  for (int kills = 0; kills < 200; ++kills) {
    const auto delay =
        std::chrono::microseconds(std::uniform_int_distribution<long>(0, longest.count())(random));
    const int code = run_and_signal(kMeasured, out, 2, delay, SIGKILL, more);
    if (code != 128 + SIGKILL) {
      EXPECT_EQ(code, 0);
      return kills;
    }
    if (std::filesystem::exists(out)) continue;
    const std::set<Unit> after = finished_units(out + ".partial");
    EXPECT_TRUE(std::includes(after.begin(), after.end(), before.begin(), before.end()));
    before = after;
  }
  ADD_FAILURE() << "it never ends";
  return 0;
}

TEST(KillResume, AMeasuredSweepResumesAndServedAgainGivesItsOwnBytesKilledOrNot) {
  const ScratchFolder folder;
  const std::vector<std::string> sweep{"--set", "replications=25"};
  const std::string out = folder / "measured.h5";
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(
      run_program("/", "run '" + kMeasured + "' --set replications=25 --quiet --out " + (folder / "whole.h5"))
          .code,
      0);
  const auto took =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  std::mt19937 random(20260811);
  EXPECT_GE(kill_until_done(out, sweep, took / 2, random), 2);
  const std::string recorded = read_bytes(out);
  EXPECT_NE(recorded, read_bytes(folder / "whole.h5")) << "measured anew";
  EXPECT_FALSE(std::filesystem::exists(out + ".partial"));
  std::vector<std::string> again = sweep;
  again.insert(again.end(), {"--durations", out});
  EXPECT_GE(kill_until_done(folder / "again.h5", again, took / 2, random), 2);
  EXPECT_EQ(read_bytes(folder / "again.h5"), recorded);
}

}  // namespace
}  // namespace dspark
