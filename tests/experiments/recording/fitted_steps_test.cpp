#include "experiments/recording/fitted_steps.h"

#include <gtest/gtest.h>

namespace dspark {
namespace {

RecordedStep step(int decode, int verified, int prefill, double seconds) {
  return {.seconds = {.draft = decode > 0 ? 2e-3 * decode : 0, .verify = seconds, .overhead = 1e-5},
          .decode_requests = decode,
          .verified_tokens = verified,
          .prefill_rows = prefill,
          .drafting_requests = decode};
}

TEST(FittedSteps, APlantedLineIsFound) {
  std::vector<RecordedStep> steps;
  for (const auto& [decode, verified, prefill] :
       {std::tuple{0, 0, 30}, {1, 3, 0}, {2, 0, 0}, {4, 16, 0}, {3, 9, 12}, {8, 8, 0}}) {
    const double rows = decode + verified + prefill;
    steps.push_back(step(decode, verified, prefill, 5e-3 + 1e-4 * decode + 2e-4 * rows));
  }
  const auto fitted = fit_steps(steps);
  ASSERT_TRUE(fitted);
  EXPECT_NEAR(fitted->verify.bias_seconds, 5e-3, 1e-9);
  EXPECT_NEAR(fitted->verify.seconds_per_request, 1e-4, 1e-9);
  EXPECT_NEAR(fitted->verify.seconds_per_token, 2e-4, 1e-9);
  EXPECT_LT(fitted->worst_residual, 1e-6);
  ASSERT_EQ(fitted->draft.size(), 5u);
  EXPECT_DOUBLE_EQ(fitted->draft[2].size, 3);
  EXPECT_DOUBLE_EQ(fitted->draft[2].seconds, 6e-3);
  EXPECT_DOUBLE_EQ(fitted->overhead_seconds, 1e-5);
}

TEST(FittedSteps, NoTermIsNegativeAndOneStalledStepMovesLittle) {
  std::vector<RecordedStep> steps;
  for (int decode = 1; decode <= 8; ++decode) steps.push_back(step(decode, decode, 0, 1e-2 - 1e-4 * decode));
  steps.push_back(step(2, 2, 0, 3.0));
  const auto fitted = fit_steps(steps);
  ASSERT_TRUE(fitted);
  EXPECT_GE(fitted->verify.seconds_per_request, 0);
  EXPECT_GT(fitted->verify.seconds_per_token, 0);
  EXPECT_NEAR(fitted->verify.bias_seconds, 1e-2, 1e-3);
  EXPECT_LT(fitted->median_residual, 0.1);
}

TEST(FittedSteps, WithoutAMeasuredStepThereIsNothing) {
  EXPECT_FALSE(fit_steps({}));
  EXPECT_FALSE(fit_steps(std::vector{step(1, 1, 0, 0)}));
}

}  // namespace
}  // namespace dspark
