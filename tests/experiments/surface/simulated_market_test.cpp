#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/experiments/program.h"
#include "tests/experiments/small_experiment.h"

namespace dspark {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kExperiment = R"(schema: 1
replications: 2
machine:
  modelled:
    verify_cost: {bias_ms: 5, per_token_ms: 0.15}
    acceptance: {survival: [0.8, 0.5]}
engine: {max_num_seqs: 64, prefill: elsewhere}
workload:
  arrivals: {closed_loop: {users: 2}}
  prompt_tokens: {fixed: 16}
  output_tokens: {fixed: 64}
policy: none
sweep: {grid: {workload.arrivals.closed_loop.users: [1, 8, 16, 32]}}
stop: {requests: 150, warmup_requests: 40}
)";
constexpr const char* kMarket = R"(schema: 1
elasticity: 0.5
supply:
  simulated: {experiment: e.yaml, before: none, after: fixed:2, operating_point: {user_speed: 150}, dollars_per_gpu_hour: 3}
segments:
  chat: {requests_per_second: 200, output_tokens: 64}
)";

class SimulatedMarket : public ::testing::Test {
 protected:
  SimulatedMarket() {
    write_bytes(folder_ / "e.yaml", kExperiment);
    write_bytes(folder_ / "m.yaml", kMarket);
  }
  /// What the program prints, without what it says on the way.
  std::string printed(const std::string& arguments) const {
    const ProgramRun run = run_program(folder_.path(), "equilibrium m.yaml " + arguments, "2>messages");
    EXPECT_EQ(run.code, 0) << messages();
    return run.output;
  }
  nlohmann::json json(const std::string& arguments) const {
    return nlohmann::json::parse(printed("--json " + arguments));
  }
  std::string messages() const { return read_bytes(folder_ / "messages"); }
  std::vector<std::string> entries(const std::string& cache) const {
    std::vector<std::string> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / cache))
      paths.push_back(entry.path().string());
    std::sort(paths.begin(), paths.end());
    return paths;
  }

  ScratchFolder folder_;
};

TEST_F(SimulatedMarket, OperatesWhereTheStepsClosedFormSays) {
  const auto found = json("--no-cache --set 'supply.simulated.loads=[1, 2, 4, 8, 16, 32, 64]'");
  const auto& supply = found["simulated_supply"];
  // A step of n rows takes 5 + 0.15 n ms. Without drafts a user has a row and a token a step.
  EXPECT_NEAR(supply["load_before"].get<double>(), (1000 / 150.0 - 5) / 0.15, 0.25);
  // With two drafts: three rows, and 1 + 0.8 + 0.8 · 0.5 tokens, of which those of the first round take no
  // time. Per GPU both give users · 150 tokens/s.
  const double users = (2200 / 150.0 - 5) / 0.15 / 3;
  EXPECT_NEAR(supply["load_after"].get<double>(), users, 0.12 * users);
  EXPECT_NEAR(found["gain"].get<double>(),
              supply["load_after"].get<double>() / supply["load_before"].get<double>(), 0.1);
  EXPECT_NEAR(found["resource_ratio"].get<double>(), std::pow(found["gain"].get<double>(), -0.5), 1e-6);
  EXPECT_NEAR(found["user_speed"].get<double>(), 150, 1e-9);
  const auto& check = supply["check"];
  EXPECT_LT(std::abs(check["throughput"]["in_standard_errors"].get<double>()), 4);
  EXPECT_NEAR(check["throughput"]["difference"].get<double>(), 0, 0.05);
  EXPECT_NE(check["throughput"]["simulated"], check["throughput"]["surface"]);
  // Prices do not depend on the load: no slope, and the error is the surface's own.
  EXPECT_GT(check["equilibrium_error"].get<double>(), 0);
  EXPECT_LT(check["equilibrium_error"].get<double>(), 0.2);
}

TEST_F(SimulatedMarket, ACachedRunSimulatesNothingAndPrintsTheSameBytesOnAnyNumberOfThreads) {
  const std::string cold = printed("--cache c --jobs 1");
  EXPECT_THAT(messages(), HasSubstr("simulating fixed:2 at 4 loads: 8 of 8 runs to do"));
  EXPECT_THAT(cold, HasSubstr("Simulated again in equilibrium"));
  EXPECT_EQ(printed("--cache c --jobs 2"), cold);
  EXPECT_EQ(messages(), "");
  EXPECT_EQ(printed("--no-cache --jobs 2"), cold);
  EXPECT_THAT(messages(), HasSubstr("simulating none"));
  EXPECT_EQ(printed("--cache d --jobs 2 --quiet"), cold);
  EXPECT_EQ(messages(), "");
  EXPECT_EQ(entries("c").size(), 3u);  // two policies and the solution
}

TEST_F(SimulatedMarket, WhatIsDamagedOrCutOffInTheCacheIsSimulatedAgain) {
  const std::string whole = printed("--cache c");
  for (const std::string& entry : {entries("c").front()}) {
    const std::string bytes = read_bytes(entry);
    std::string flipped = bytes, foreign = bytes;
    flipped[bytes.size() / 2] ^= 4;
    foreign[3] ^= 1;
    for (const std::string& broken : {bytes.substr(0, bytes.size() / 2), flipped, foreign, std::string("x"),
                                      bytes.substr(0, 10), std::string()}) {
      write_bytes(entry, broken);
      EXPECT_EQ(printed("--cache c"), whole);
      EXPECT_THAT(messages(), HasSubstr("runs to do"));
      EXPECT_EQ(read_bytes(entry).size(), bytes.size());
    }
  }
  EXPECT_EQ(printed("--cache c"), whole);
  EXPECT_EQ(messages(), "");
}

TEST_F(SimulatedMarket, AKilledBuildGoesOnWhereItWas) {
  printed("--cache c");
  for (const std::string& entry : entries("c")) {
    std::filesystem::resize_file(entry, read_bytes(entry).size() * 9 / 10);
    printed("--cache c");
    EXPECT_THAT(messages(), HasSubstr("runs to do"));
    EXPECT_THAT(messages(), Not(HasSubstr("8 of 8 runs to do")));  // the last ones were torn off
  }
}

TEST_F(SimulatedMarket, AnotherSeedOrPolicyIsAnotherEntryAndAnotherTitleIsNot) {
  printed("--cache c");
  write_bytes(folder_ / "e.yaml", std::string(kExperiment) + "title: another\n");
  printed("--cache c");
  EXPECT_EQ(messages(), "");
  write_bytes(folder_ / "e.yaml", std::string(kExperiment) + "seed: 9\n");
  printed("--cache c");
  EXPECT_THAT(messages(), HasSubstr("simulating none at 4 loads: 8 of 8"));
  printed("--cache c --set supply.simulated.after=fixed:1");
  EXPECT_THAT(messages(), Not(HasSubstr("simulating none")));  // the baseline is there
}

TEST_F(SimulatedMarket, TheSamePolicyTwiceHasNoGainAndNoR) {
  const auto found = json("--cache c --set supply.simulated.after=none");
  EXPECT_EQ(found["gain"], 1);
  EXPECT_TRUE(found["rebound"]["all"].is_null());
}

TEST_F(SimulatedMarket, LoadsMayBeOpenArrivals) {
  const auto found =
      json("--cache c --set supply.simulated.load=rate --set 'supply.simulated.loads=[5, 20, 30, 45, 60]'");
  // An arrival shares the steps with those that it meets and itself: 11.1 at 150 tokens/s, so 10.1 others,
  // who are 10.1 · 150 / 64 requests/s (Little). 150 requests from an empty start are few.
  const double others = (1000 / 150.0 - 5) / 0.15 - 1;
  EXPECT_NEAR(found["simulated_supply"]["load_before"].get<double>(), others * 150 / 64, 3);
}

TEST_F(SimulatedMarket, ACacheThatCannotBeWrittenIsNoInputError) {
  write_bytes(folder_ / "file", "");
  const ProgramRun run = run_program(folder_.path(), "equilibrium m.yaml --cache file/c");
  EXPECT_EQ(run.code, 3) << run.output;
}

TEST_F(SimulatedMarket, EveryEpochOfAGrowthPathIsSimulatedAgain) {
  write_bytes(folder_ / "g.yaml",
              std::string(kMarket) + "growth: {epochs: 4, lead_epochs: 1, policy: {at_once: {from: 0.5}}}\n");
  const auto grow = [&](const std::string& arguments) {
    const ProgramRun run =
        run_program(folder_.path(), "grow g.yaml --json --set segments.chat.growth_per_year=2 " + arguments,
                    "2>messages");
    EXPECT_EQ(run.code, 0) << messages();
    return run.output;
  };
  const std::string once = grow("--cache kept --jobs 1");
  EXPECT_EQ(grow("--cache kept --jobs 2"), once);
  const auto found = nlohmann::json::parse(once);
  EXPECT_EQ(found["broken"], "");
  // Servers without the policy in the first half year, with it from then on; each a run at its own load.
  ASSERT_EQ(found["simulated"]["without_policy"].size(), 2u);
  ASSERT_EQ(found["simulated"]["with_policy"].size(), 2u);
  for (const char* servers : {"without_policy", "with_policy"}) {
    for (const auto& epoch : found["simulated"][servers]) {
      const auto& speed = epoch["user_speed"];
      EXPECT_NEAR(speed["simulated"].get<double>(), speed["surface"].get<double>(),
                  0.1 * speed["surface"].get<double>());
      EXPECT_GE(epoch["load_per_replica"], 1);
    }
  }
  // GPUs ordered for the load of a quarter ago are busier than the operator would have them.
  EXPECT_GT(found["simulated"]["without_policy"][1]["load_per_replica"],
            found["simulated"]["without_policy"][0]["load_per_replica"]);
}

TEST_F(SimulatedMarket, DrawsShareTheSurfacesAndNothingSimulatedIsUncertain) {
  const std::string uncertain = "--set 'elasticity={uniform: [0.2, 1.2]}' --draws 200 --cache kept ";
  const std::string once = printed(uncertain + "--jobs 1 --json");
  EXPECT_EQ(printed(uncertain + "--jobs 3 --json"), once);
  const auto found = nlohmann::json::parse(once);
  EXPECT_TRUE(found.contains("simulated_supply"));
  const ProgramRun refused = run_program(
      folder_.path(),
      "equilibrium m.yaml --cache kept --set 'supply.simulated.replications={any_of: [2, 3]}' --draws 100");
  EXPECT_EQ(refused.code, 2) << refused.output;
  EXPECT_THAT(refused.output, HasSubstr("what is simulated cannot be uncertain"));
}

}  // namespace
}  // namespace dspark
