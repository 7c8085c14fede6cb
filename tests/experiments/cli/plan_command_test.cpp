#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/experiments/program.h"

namespace dspark {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

const std::string kFolder = DSPARK_SOURCE_DIR "/tests/experiments/planning";

ProgramRun plan(const std::string& arguments, const std::string& redirect = "2>&1") {
  return run_program(kFolder, "plan small_plan.yaml --quiet " + arguments, redirect);
}
nlohmann::json json(const std::string& arguments, int code = 0) {
  const ProgramRun ran = plan("--no-cache --json " + arguments);
  EXPECT_EQ(ran.code, code) << ran.output;
  return nlohmann::json::parse(ran.output, nullptr, false);
}

/// A folder for a cache, empty and removed at the end.
class PlanCache : public testing::Test {
 protected:
  void SetUp() override { fs::remove_all(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder_)) found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
  }
  const fs::path folder_ =
      fs::path(testing::TempDir()) / ("plan_cache_" + std::to_string(::getpid()) + "_" +
                                      testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST(PlanCommand, SaysHowManyGpusWhatIsSavedAndWhyOthersLose) {
  const ProgramRun ran = plan("--no-cache");
  EXPECT_EQ(ran.code, 0) << ran.output;
  EXPECT_THAT(ran.output,
              AllOf(HasSubstr("You need "), HasSubstr(" GPUs with none; with fixed:2 "),
                    HasSubstr("; if demand responds as assumed, "), HasSubstr("runner-up"),
                    HasSubstr("the best at constant demand"), HasSubstr("the best at expected demand"),
                    HasSubstr("the promise is met with 95 % confidence"),
                    HasSubstr("If the peak is off by 20 %"), HasSubstr("58.3 % of the peak"),
                    HasSubstr("price elasticity of requests 0.5: assumption"), HasSubstr("at least")));
}

TEST(PlanCommand, JsonHasTheSameAnswer) {
  const auto found = json("");
  const auto& best = found["best"];
  EXPECT_TRUE(found["feasible"].get<bool>());
  EXPECT_EQ(best["policy"], "fixed:2");
  EXPECT_EQ(best["replicas"], best["serving"].get<int>() + 1);  // the spare
  EXPECT_EQ(best["gpus"], 2 * best["replicas"].get<int>());
  EXPECT_EQ(best["dollars_per_hour"], 3 * best["gpus"].get<int>());
  EXPECT_LE(200, best["serving"].get<int>() * best["capacity"].get<double>());
  EXPECT_TRUE(best["check"]["met"].get<bool>());
  for (const auto& limit : best["check"]["limits"]) EXPECT_GT(limit["margin"].get<double>(), 0);
  EXPECT_LE(best["gpus_if_less"], best["gpus"]);
  EXPECT_GE(best["gpus_if_more"], best["gpus"]);
  EXPECT_EQ(found["baseline"]["policy"], "none");
  EXPECT_GE(found["runner_up"]["gpus"], best["gpus"]);
  EXPECT_EQ(found["others"].size(), 5u);
  for (const auto& other : found["others"]) {
    EXPECT_FALSE(other["why"].get<std::string>().empty());
    EXPECT_TRUE(other["unreachable"].get<bool>() || other["least_gpus"] >= best["gpus"]);
  }
  // Demand of constant elasticity: requests ~ cost^-e, and cost is GPUs over capacity.
  const auto& demand = found["expected_demand"];
  const double ratio = found["baseline"]["capacity"].get<double>() / best["capacity"].get<double>();
  EXPECT_NEAR(demand["cost_ratio"].get<double>(), ratio, 1e-12);
  EXPECT_NEAR(demand["requests_ratio"].get<double>(), std::pow(ratio, -0.5), 1e-12);
  EXPECT_NEAR(demand["rebound"].get<double>(), (std::sqrt(ratio) - ratio) / (1 - ratio), 1e-12);
  EXPECT_EQ(demand["gpus"],
            2 * (1 + std::ceil(200 * std::pow(ratio, -0.5) / best["capacity"].get<double>())));
}

TEST(PlanCommand, PruningAndThreadsChangeNothing) {
  for (const char* objective : {"chips", "energy"}) {
    const std::string set = std::string("--set objective=") + objective;
    const auto pruned = json(set + " --jobs 1"), brute = json(set + " --exhaustive --jobs 3");
    for (const char* key : {"best", "runner_up", "baseline", "expected_demand"})
      EXPECT_EQ(pruned[key], brute[key]) << objective << " " << key;
    EXPECT_LE(pruned["replications"], brute["replications"]);
  }
  EXPECT_EQ(plan("--no-cache --jobs 1").output, plan("--no-cache --jobs 4").output);
}

TEST(PlanCommand, AnUnreachablePromiseHasItsExitCodeAndTheLimitThatBinds) {
  const ProgramRun ran = plan("--no-cache --set slo.user_speed=5000");
  EXPECT_EQ(ran.code, 4);
  EXPECT_THAT(ran.output, AllOf(HasSubstr("No plan"), HasSubstr("no load meets the promise: user_speed is"),
                                HasSubstr("not 5000"), Not(HasSubstr("You need"))));
  const auto found = json("--set slo.ttft_p90_ms=0.01", 4);
  EXPECT_FALSE(found["feasible"].get<bool>());
  EXPECT_TRUE(found["best"].is_null());
  for (const auto& other : found["others"]) {
    EXPECT_TRUE(other["unreachable"].get<bool>());
    EXPECT_THAT(other["why"].get<std::string>(), HasSubstr("ttft_p90_ms"));
  }
}

TEST(PlanCommand, ARequestThatNeverFitsIsTheReason) {
  const ProgramRun ran = plan("--no-cache --set machines.small.modelled.kv='{blocks: 1, block_tokens: 16}'");
  EXPECT_EQ(ran.code, 4);
  EXPECT_THAT(ran.output, HasSubstr("did not fit into the KV cache"));
}

TEST(PlanCommand, ATraceIsSpedUpToThePeakAndThinned) {
  const std::string trace =
      "--set 'traffic={requests_per_second: 40, trace: {file: "
      "../../../experiments/traces/azure_2023_code.csv}}' --set slo.ttft_p90_ms=2000 "
      "--set slo.user_speed=50 --set machines.small.modelled.kv='{blocks: 4000, "
      "block_tokens: 16}' ";
  const auto found = json(trace);
  EXPECT_EQ(found["peak"], 40);
  EXPECT_GT(found["best"]["capacity"].get<double>(), 0);
  EXPECT_EQ(found, json(trace + "--jobs 2"));
}

TEST_F(PlanCache, IsReadAgainAndADamagedEntryIsComputedAgainAfterAWarning) {
  const std::string cached = "--cache '" + folder_.string() + "'";
  const ProgramRun first = plan(cached);
  EXPECT_EQ(first.output, plan("--no-cache").output);
  const auto kept = files();
  ASSERT_GT(kept.size(), 10u);
  const auto written = fs::last_write_time(kept.front());
  EXPECT_EQ(plan(cached).output, first.output);
  EXPECT_EQ(fs::last_write_time(kept.front()), written);
  EXPECT_EQ(files(), kept);

  std::ofstream(kept[0], std::ios::app) << "1";
  std::ofstream(kept[1]) << "";
  std::ofstream(kept[2]) << "[[[";
  const ProgramRun again = plan(cached);
  EXPECT_EQ(again.code, 0);
  for (int i = 0; i < 3; ++i)
    EXPECT_THAT(again.output,
                HasSubstr(kept[static_cast<std::size_t>(i)].filename().string() + " is damaged"));
  EXPECT_EQ(plan(cached, "2>/dev/null").output, first.output);
}

TEST_F(PlanCache, AnotherPromiseOrSeedIsAnotherEntry) {
  const std::string cached = "--json --cache '" + folder_.string() + "'";
  const auto first = plan(cached).output;
  EXPECT_NE(plan(cached + " --set seed=4").output, first);
  EXPECT_NE(plan(cached + " --set slo.user_speed=190").output, first);
  EXPECT_EQ(plan(cached).output, first);
}

TEST(PlanCommand, HelpTeachesAndWrongUseIsInvalidInput) {
  const ProgramRun help = run_program(kFolder, "plan --help");
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.output, AllOf(HasSubstr("experiments/examples/plan.yaml"), HasSubstr("Exit codes")));
  EXPECT_EQ(run_program(kFolder, "plan").code, 2);
  EXPECT_EQ(run_program(kFolder, "plan missing.yaml").code, 2);
}

}  // namespace
}  // namespace dspark
