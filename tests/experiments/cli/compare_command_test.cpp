#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "experiments/results/hdf5_file.h"
#include "tests/experiments/program.h"
#include "tests/experiments/small_experiment.h"

namespace dspark {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kTests = DSPARK_SOURCE_DIR "/tests";

/// One small modelled experiment, run as often as a test asks for.
class Compare : public testing::Test {
 protected:
  void run(const std::string& out, const std::string& arguments) {
    const ProgramRun ran =
        run_program(folder_.path(), "run " + kTests + "/bad_input/base.yaml --quiet --out " + out +
                                        " --set replications=3 --set 'machine.modelled.verify_cost={bias_ms: "
                                        "8, per_token_ms: 1}' --set 'sweep={grid: {policy: [none, fixed:2], "
                                        "workload.arrivals.closed_loop.users: [1, 4]}}' " +
                                        arguments);
    ASSERT_EQ(ran.code, 0) << ran.output;
  }
  /// The same experiment on a machine whose steps take 1.25 times as long.
  void run_pair() {
    run("a.h5", "");
    run("b.h5", "--set 'machine.modelled.verify_cost={bias_ms: 10, per_token_ms: 1.25}'");
  }
  ProgramRun compare(const std::string& arguments) const {
    return run_program(folder_.path(), "compare " + arguments);
  }
  nlohmann::json json(const std::string& arguments) const {
    const ProgramRun ran = compare(arguments + " --json");
    EXPECT_EQ(ran.code, 0) << ran.output;
    return nlohmann::json::parse(ran.output);
  }

  const ScratchFolder folder_;
};

TEST_F(Compare, AMachineOfOtherCostsIsOffByTheirFactor) {
  // Users wait for their replies and the coins are the same, so everything happens in the same order: times
  // are multiplied by 1.25, speeds divided by it, to the nanosecond of the clock.
  run_pair();
  const auto found = json("a.h5 b.h5");
  const std::map<std::string, double> expected = {
      {"throughput", 0.25}, {"user_speed_mean", 0.25}, {"ttft_mean", -0.2}, {"accepted_length", 0}};
  ASSERT_EQ(found["differences"].size(), 16u);
  for (const auto& row : found["differences"]) {
    const double error = expected.at(row["metric"]);
    EXPECT_NEAR(row["error"].get<double>(), error, 1e-6) << row;
    EXPECT_NEAR(row["error_high"].get<double>(), error, 1e-6) << row;
    EXPECT_EQ(row["within_replications"], 1);
    if (row["metric"] != "throughput") continue;
    EXPECT_NEAR(row["log_step_time"].get<double>(), std::log(1.25), 1e-6) << row;
    for (const char* other : {"log_requests", "log_tokens_per_request", "log_busy"})
      EXPECT_NEAR(row[other].get<double>(), 0, 1e-6) << row;
  }
  EXPECT_EQ(found["ranking"].size(), 4u);
  for (const auto& ranking : found["ranking"]) EXPECT_EQ(ranking["regret"], 0);
  EXPECT_EQ(found["unpaired"].size(), 0u);
}

TEST_F(Compare, TheTextEndsWithTheSentence) {
  run_pair();
  const std::string sentence = compare("a.h5 b.h5 --sentence").output;
  EXPECT_THAT(sentence,
              StartsWith("A against B over 4 points: user speed is 25.0 % off in the median and 25.0 % "
                         "at worst ("));
  EXPECT_THAT(compare("a.h5 b.h5").output, EndsWith("\n" + sentence));
  EXPECT_THAT(compare("a.h5 b.h5").output, Not(HasSubstr("ln(A / B)")));
  EXPECT_THAT(compare("a.h5 b.h5 --explain").output, HasSubstr("+0.223"));
  EXPECT_THAT(compare("a.h5 b.h5 --fitted none --sentence").output,
              StartsWith("A against B over 2 predicted points: "));
}

TEST_F(Compare, LimitsJudgeWhatWasNotFitted) {
  run_pair();
  EXPECT_EQ(compare("a.h5 b.h5 --median 26 --worst 26").code, 0);
  const ProgramRun exceeds = compare("a.h5 b.h5 --median 26 --worst 24");
  EXPECT_EQ(exceeds.code, 1);
  EXPECT_THAT(exceeds.output,
              HasSubstr("\nexceeds: throughput is 25.0 % off in the median (at most 26 %) and "
                        "25.0 % at worst (at most 24 %)\n"));
  EXPECT_EQ(compare("a.h5 b.h5 --median 24").code, 1);
  EXPECT_EQ(compare("a.h5 b.h5 --worst 1 --metric accepted_length").code, 0) << "only what was named";
  EXPECT_EQ(compare("a.h5 b.h5").code, 0) << "without limits it is a report";
  run("mixed.h5", "--set 'machine.modelled.acceptance.survival=[0.5, 0.1]'");
  EXPECT_EQ(compare("a.h5 mixed.h5 --worst 1").code, 1) << "fixed:2 is off";
  EXPECT_EQ(compare("a.h5 mixed.h5 --worst 1 --fitted fixed:2").code, 0) << "none is not";
  const ProgramRun nothing = compare("a.h5 b.h5 --worst 1 --fitted none --fitted fixed:2");
  EXPECT_EQ(nothing.code, 2) << "what judges nothing may not pass";
  EXPECT_THAT(nothing.output, HasSubstr("nothing to judge"));
}

TEST_F(Compare, PointsWithoutAPartnerAreListed) {
  run("a.h5", "");
  run("b.h5", "--set 'sweep.grid.policy=[fixed:1, none]'");
  const ProgramRun ran = compare("a.h5 b.h5");
  EXPECT_EQ(ran.code, 0) << ran.output;
  for (const char* only : {"only in A: policy=fixed:2", "only in B: policy=fixed:1"})
    EXPECT_THAT(ran.output, HasSubstr(only));
  const ProgramRun nothing = compare("a.h5 b.h5 --policy-a fixed:2 --policy-b none --pair x=1:2");
  EXPECT_EQ(nothing.code, 2);
  EXPECT_THAT(nothing.output, StartsWith("error: A has no axis 'x' (known: policy, "));
}

TEST_F(Compare, OnePolicyWithAnotherOfTheSameFile) {
  run("a.h5", "");
  const ProgramRun ran = compare("a.h5 a.h5 --policy-a fixed:2 --policy-b none");
  EXPECT_EQ(ran.code, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("difference: A / B - 1, within each replication"));
  EXPECT_THAT(ran.output, HasSubstr("\nfixed:2 against none over 2 points: user speed is +"));
  // The same by dspark show --policies, which asks the same of one file.
  const auto shown = run_program(folder_.path(), "show a.h5 --policies --metric user_speed_mean --json");
  const auto found = json("a.h5 a.h5 --policy-a fixed:2 --policy-b none --metric user_speed_mean");
  std::size_t rows = 0;
  for (const auto& row : nlohmann::json::parse(shown.output)) {
    if (row["policy"] != "fixed:2") continue;
    EXPECT_EQ(row["difference"], found["differences"][rows]["error"]);
    EXPECT_EQ(row["difference_high"], found["differences"][rows]["error_high"]);
    ++rows;
  }
  EXPECT_EQ(rows, found["differences"].size());
}

TEST_F(Compare, AModelledMachineWithAMeasuredOne) {
  // A tiny real model, its steps measured beside the modelled machine's, in one file.
  const ProgramRun ran = run_program(
      folder_.path(), "run " + kTests + "/experiments/measured.yaml --quiet --out c.h5 --set replications=3");
  ASSERT_EQ(ran.code, 0) << ran.output;
  const std::string pair = "c.h5 c.h5 --pair machine.use=modelled:executor ";
  const auto found = json(pair);
  EXPECT_EQ(found["differences"].size(), 8u);
  for (const auto& row : found["differences"]) EXPECT_EQ(row["within_replications"], 0) << row;
  EXPECT_THAT(compare(pair).output, HasSubstr("error: A / B - 1, of independent means"));

  for (const char* machine : {"modelled", "executor"}) {
    const ProgramRun one = run_program(
        folder_.path(), "run " + kTests + "/experiments/measured.yaml --quiet --out " + machine +
                            ".h5 --set 'sweep={grid: {policy: [fixed:3]}}' --set machine.use=" + machine);
    ASSERT_EQ(one.code, 0) << one.output;
  }
  const std::string sentence = compare("modelled.h5 executor.h5 --sentence").output;
  EXPECT_THAT(sentence, StartsWith("Modelled against measured at one point: user speed is "));
  EXPECT_THAT(sentence, EndsWith(" off (fixed:3).\n"));
  EXPECT_THAT(compare("executor.h5 modelled.h5").output, HasSubstr("A is the measured one: give it second"));
}

TEST_F(Compare, PrintsWhatTheManualShows) {
  const std::string manual = read_bytes(DSPARK_SOURCE_DIR "/docs/comparing.md");
  const auto block = [&](const std::string& fence) {
    const std::size_t begin = manual.find(fence) + fence.size();
    return manual.substr(begin, manual.find("```", begin) - begin);
  };
  const std::string root = DSPARK_SOURCE_DIR "/experiments";
  std::filesystem::create_symlink(root, folder_ / "experiments");
  std::string commands = block("```sh\n");
  const std::string shown = "build/release/dspark";
  for (std::size_t at = 0; (at = commands.find(shown, at)) != std::string::npos;
       at += program_path().size() + 2)
    commands.replace(at, shown.size(), "'" + program_path() + "'");
  write_bytes(folder_ / "commands", "set -e\n" + commands);  // progress goes to stderr
  const ProgramRun run =
      run_program(folder_.path(), "--version > /dev/null && bash commands", "2> /dev/null");
  EXPECT_EQ(run.code, 0) << run.output;
  const std::size_t table = run.output.find("A  results/sharp.h5");  // behind "wrote ..." of the runs
  ASSERT_NE(table, std::string::npos) << run.output;
  EXPECT_EQ(run.output.substr(table), block("```text\n"));
}

TEST_F(Compare, CsvHasARowForEachMetricAndPoint) {
  run_pair();
  const std::string csv = compare("a.h5 b.h5 --csv").output;
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 17);
  EXPECT_THAT(csv,
              StartsWith("point_a,point_b,policy_a,policy_b,workload.arrivals.closed_loop.users,metric,unit,"
                         "a,a_low,a_high,b,b_low,b_high,error,error_low,error_high,n,within_replications,"
                         "inside,role,log_error,"));
}

TEST_F(Compare, DrawsPngAndPdf) {
  run_pair();
  for (const char* more : {"", "--fitted none --median 5 --worst 12", "--policy-a none --policy-b fixed:2",
                           "--metric accepted_length"}) {
    const ProgramRun ran = compare(std::string("a.h5 b.h5 --sentence --figure plots/c.png ") + more);
    EXPECT_THAT(ran.output, StartsWith("plots/c.png\nplots/c.pdf\n")) << more;
    EXPECT_THAT(ran.output, EndsWith(".\n")) << more;
    EXPECT_THAT(read_bytes(folder_ / "plots/c.png"), StartsWith("\x89PNG"));
    EXPECT_THAT(read_bytes(folder_ / "plots/c.pdf"), StartsWith("%PDF"));
    std::filesystem::remove_all(folder_ / "plots");
  }
  EXPECT_EQ(compare("a.h5 b.h5 --figure /proc/nowhere/c.png").code, 3);
}

TEST_F(Compare, WrongFilesAndOptionsAreCode2) {
  run("a.h5", "");
  for (const char* wrong :
       {"", "a.h5", "a.h5 nowhere.h5", "a.h5 /dev/null", "a.h5 a.h5 --policy-a none",
        "a.h5 a.h5 --metric nothing", "a.h5 a.h5 --pair policy", "a.h5 a.h5 --pair policy=a:b:c",
        "a.h5 a.h5 --median -1", "a.h5 a.h5 --csv --json", "a.h5 a.h5 --figure c.svg"}) {
    const ProgramRun ran = compare(wrong);
    EXPECT_EQ(ran.code, 2) << wrong << ran.output;
    EXPECT_EQ(std::count(ran.output.begin(), ran.output.end(), '\n'), 1) << ran.output;
  }
  EXPECT_THAT(compare("--help").output, HasSubstr("Examples:"));
}

}  // namespace
}  // namespace dspark
