// SGLang's align-verify-tokens-to-graph-tier: never fewer tokens in the same step time.
#include <gtest/gtest.h>

#include "tests/experiments/published_results/block_drafter.h"

namespace dspark {
namespace {

using testing::BlockDrafter;

/// Captured graphs of every 16 tokens up to `limit`, 10 ms and 50 µs a token.
BlockDrafter captured(int users, int limit = 512) {
  BlockDrafter scene{.verify_cost = "{table: verify.csv, capture_limit: " + std::to_string(limit) + "}",
                     .verify_table = "tokens,step_ms\n",
                     .users = users};
  for (int size = 16; size <= 512; size += 16) {
    scene.verify_table += std::to_string(size) + "," + std::to_string(10 + 0.05 * size) + "\n";
  }
  return scene;
}
std::string filled(const std::string& inside) { return "{tier_fill: {policy: " + inside + "}}"; }

TEST(TierFillPublished, NeverFewerTokensInTheSameStepTime) {
  // Measured: 1.6 .. 2 % more tokens per second around `dspark`, whose search on the convex hull does not see
  // the steps. Step by step the times are equal (tests/policies/depth/tier_fill_test.cpp); as means over two
  // histories they agree to 0.2 %.
  for (const int users : {8, 32, 64}) {
    const BlockDrafter scene = captured(users);
    auto plain = scene.serve("dspark");
    auto full = scene.serve(filled("dspark"));
    EXPECT_GT(full["verification_length"], plain["verification_length"] + 0.05) << users << " users";
    EXPECT_GT(full["accepted_length"], plain["accepted_length"] + 0.02) << users << " users";
    EXPECT_NEAR(full["step_seconds_mean"], plain["step_seconds_mean"], 0.005 * plain["step_seconds_mean"]);
    EXPECT_GT(full["throughput"], 1.007 * plain["throughput"]) << users << " users";
  }
}

TEST(TierFillPublished, ASearchOnTheStaircaseLeavesNoPadding) {
  const BlockDrafter scene = captured(32);
  for (const char* policy : {"dspark_async", "vllm_adaptive"}) {
    EXPECT_NEAR(scene.throughput(filled(policy)), scene.throughput(policy), 1e-3 * scene.throughput(policy));
  }
}

TEST(TierFillPublished, NothingIsFilledOffTheCapturedGraphs) {
  const BlockDrafter scene = captured(64, 16);
  EXPECT_EQ(scene.throughput(filled("dspark")), scene.throughput("dspark"));
}

}  // namespace
}  // namespace dspark
