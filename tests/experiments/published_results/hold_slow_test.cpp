// Stale answers (REFERENCE.md 3): what an answer that is held costs, by how long and by how the load changes.
#include <gtest/gtest.h>

#include "tests/experiments/published_results/block_drafter.h"

namespace dspark {
namespace {

using testing::BlockDrafter;

std::string held(int steps) {
  return "{hold: {steps: " + std::to_string(steps) + ", policy: vllm_adaptive}}";
}

TEST(HoldPublished, TenStepsCostNextToNothingWhereTheLoadIsSteady) {
  const BlockDrafter scene{.users = 256, .requests = 1000};
  const double free = scene.throughput("vllm_adaptive");
  EXPECT_EQ(scene.throughput(held(1)), free) << "one step is no holding";
  EXPECT_NEAR(scene.throughput(held(10)), free, 0.005 * free);
}

TEST(HoldPublished, WhereTheLoadChangesTheAnswerGoesStale) {
  // Bursts between idle and a batch of hundreds. Measured: the mean time of a request is 0.6 % longer held
  // for 10 steps, 8.7 % for 100, 2.6 times as long for 1000.
  const BlockDrafter scene{.arrivals = "{gamma: {rate: 45, cv: 6}}", .requests = 2000};
  const auto seconds = [&](const std::string& policy) { return scene.serve(policy)["end_to_end_mean"]; };
  const double free = seconds("vllm_adaptive");
  EXPECT_LT(seconds(held(10)), 1.02 * free);
  EXPECT_GT(seconds(held(100)), 1.03 * free);
  EXPECT_GT(seconds(held(1000)), 1.5 * free);
}

}  // namespace
}  // namespace dspark
