#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include "experiments/planning/planner.h"
#include "experiments/planning/scenario_replica.h"

namespace dspark {
namespace {

PlanFile example(std::uint64_t seed) {
  Errors errors;
  auto file = read_plan_file(DSPARK_SOURCE_DIR "/experiments/examples/plan.yaml",
                             {"seed=" + std::to_string(seed)}, errors);
  EXPECT_TRUE(errors.empty());
  return *std::move(file);
}

TEST(Planner, WhatItRecommendsKeepsThePromiseWithSeedsThatChoseNothing) {
  std::atomic<bool> stop = false;
  const PlanFile file = example(1);
  const auto answer = find_plan(file, {.jobs = 2, .quiet = true}, stop);
  ASSERT_TRUE(answer && answer->best && answer->runner_up && answer->baseline);
  const ObservationCache nothing("");
  for (const Plan& plan : {*answer->best, *answer->runner_up, *answer->baseline}) {
    const double load = file.request.peak / static_cast<double>(plan.size.serving);
    int met = 0;
    std::vector<ReplicaObservation> pooled;
    for (std::uint64_t seed = 101; seed < 106; ++seed) {
      const PlanFile other = example(seed);
      const ScenarioReplica replica(other, other.candidates[plan.candidate], nothing, nullptr);
      const auto outcome = run_test({.most = 32}, [&](int replication) {
        auto observation = replica.observe(load, kCheckSeries, replication);
        pooled.push_back(*observation);
        return observation;
      });
      met += outcome->verdict == Verdict::kMet;
    }
    EXPECT_GE(met, 4) << file.candidates[plan.candidate].name();
    // Together they leave no doubt: two standard errors of all replications above 0.
    for (const MarginEstimate& margin : estimate_margins(pooled))
      EXPECT_GT(margin.mean, 2 * margin.standard_error) << file.candidates[plan.candidate].name();
  }
}

TEST(Planner, AnInterruptedPlanGoesOnFromItsCache) {
  const std::string folder = testing::TempDir() + "plan_interrupted";
  std::filesystem::remove_all(folder);
  std::atomic<bool> stop = true;
  const PlanFile file = example(1);
  EXPECT_FALSE(find_plan(file, {.cache = folder, .jobs = 2, .quiet = true}, stop).has_value());
  stop = false;
  const auto whole = find_plan(file, {.cache = folder, .jobs = 2, .quiet = true}, stop);
  const auto again = find_plan(file, {.cache = folder, .jobs = 1, .quiet = true}, stop);
  const auto fresh = find_plan(file, {.jobs = 1, .quiet = true}, stop);
  std::filesystem::remove_all(folder);
  for (const auto& answer : {again, fresh}) {
    EXPECT_EQ(answer->best->size.chips, whole->best->size.chips);
    EXPECT_EQ(answer->best->capacity, whole->best->capacity);
    EXPECT_EQ(answer->replications, whole->replications);
  }
}

}  // namespace
}  // namespace dspark
