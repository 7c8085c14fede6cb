// DSDE (arXiv 2509.01083): all requests of a step wait for the longest draft, so a cap at the mean length
// lets throughput scale further with the batch.
#include <gtest/gtest.h>

#include "tests/experiments/published_results/sequential_drafter.h"

namespace dspark {
namespace {

using testing::SequentialDrafter;

SequentialDrafter scene(int users) {
  return {.survival =
              "[0.80, 0.66, 0.56, 0.48, 0.41, 0.35, 0.30, 0.26, 0.22, 0.19, 0.165, 0.143, 0.124, 0.107, "
              "0.093, 0.08]",
          .row_ms = 0.02,  // memory-bound: what limits the batch is the drafter
          .users = users,
          .requests = 100 + 8 * users};
}

TEST(DsdePublished, TheMeanCapImprovesScalingToSixtyFourRequests) {
  const auto scaling = [](const std::string& policy) {
    return scene(64).serve(policy)["throughput"] / scene(1).serve(policy)["throughput"];
  };
  // Published: 12.2 against 11.2 times. Measured: 27.1 against 23.9.
  EXPECT_GT(scaling("dsde"), 1.05 * scaling("{dsde: {cap: none}}"));
  EXPECT_EQ(scene(1).serve("dsde")["throughput"], scene(1).serve("{dsde: {cap: none}}")["throughput"])
      << "one request is its own mean";
}

TEST(DsdePublished, TheCapShortensTheLongestDraftNotOnlyTheMeanOne) {
  auto capped = scene(64).serve("dsde");
  auto uncapped = scene(64).serve("{dsde: {cap: none}}");
  EXPECT_LT(capped["step_seconds_mean"], 0.9 * uncapped["step_seconds_mean"]);
  EXPECT_LT(capped["draft_length"], uncapped["draft_length"]);
}

TEST(DsdePublished, ForOneRequestItComesCloseToTheBestConstantLengthWithoutProfiling) {
  // Published: 13.97 s against 13.44 s, 4 % more. Measured: 0.6 % more.
  double best = 0;
  for (int k = 1; k <= 10; ++k) {
    best = std::max(best, scene(1).serve("fixed:" + std::to_string(k))["user_speed_mean"]);
  }
  EXPECT_GT(scene(1).serve("dsde")["user_speed_mean"], 0.96 * best);
}

}  // namespace
}  // namespace dspark
