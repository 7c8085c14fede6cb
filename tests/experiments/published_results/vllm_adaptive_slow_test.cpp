// What vLLM's budget loses to churn (REFERENCE.md 3: stale budgets), and what matching requests saves of it.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/experiments/published_results/block_drafter.h"

namespace dspark {
namespace {

using testing::BlockDrafter;

double gain(const BlockDrafter& scene, int lag) {
  const std::string steps = std::to_string(lag);
  return scene.throughput("{vllm_adaptive: {lag: " + steps + "}}") /
             scene.throughput("{dspark_async: {lag: " + steps + "}}") -
         1;
}

TEST(VllmAdaptivePublished, UnderChurnRequestsThatHaveLeftMustNotCount) {
  // Replies of 20 tokens end after six rounds: counting those that have left makes the budget too large.
  // Measured: 2.0 % at lag 1, 9.5 % at lag 2; with replies of 200 tokens under 0.1 %.
  const BlockDrafter churn{.output_tokens = 20, .requests = 3000};
  EXPECT_GT(gain(churn, 1), 0.01);
  EXPECT_GT(gain(churn, 2), 0.06);
  const BlockDrafter calm{.output_tokens = 200, .requests = 3000};
  EXPECT_NEAR(gain(calm, 1), 0, 0.005);
  EXPECT_NEAR(gain(calm, 2), 0, 0.005);
}

TEST(VllmAdaptivePublished, ChoosesAsWellAsTheBestFixedKAndRanksBetter) {
  // Ranking by confidence under load: published 0 .. 8 % over the best fixed k of each load. Measured: 0.3,
  // 7, 8.5 and 7 % at 4, 32, 64 and 256 users.
  for (const int users : {4, 32, 64, 256}) {
    const BlockDrafter scene{.users = users};
    double best = 0;
    for (int k = 0; k <= 7; ++k) best = std::max(best, scene.throughput("fixed:" + std::to_string(k)));
    const double over_best = scene.throughput("vllm_adaptive") / best - 1;
    EXPECT_GT(over_best, users <= 4 ? -0.01 : 0.03) << users << " users";
    EXPECT_LT(over_best, 0.12) << users << " users";
  }
}

}  // namespace
}  // namespace dspark
