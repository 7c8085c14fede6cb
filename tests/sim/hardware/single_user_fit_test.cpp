#include "sim/hardware/single_user_fit.h"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

namespace dspark {
namespace {

using ::testing::HasSubstr;

TEST(SurvivalFromAcceptedLengths, MeetsTheSumsWithLogLinearPieces) {
  const auto survival = survival_from_accepted_lengths({{1, 1.8}, {3, 2.6}, {5, 3.0}}, 7);
  ASSERT_TRUE(survival);
  const std::vector<double>& s = *survival;
  ASSERT_EQ(s.size(), 7u);
  EXPECT_NEAR(s[0], 0.8, 1e-12);
  EXPECT_NEAR(s[1] + s[2], 0.8, 1e-12);
  EXPECT_NEAR(s[3] + s[4], 0.4, 1e-12);
  EXPECT_NEAR(s[1] / s[0], s[2] / s[1], 1e-12);
  EXPECT_NEAR(s[3] / s[2], s[4] / s[3], 1e-12);
  EXPECT_NEAR(s[6] / s[5], s[4] / s[3], 1e-12) << "goes on with the last slope";
  for (std::size_t k = 1; k < 7; ++k) EXPECT_LE(s[k], s[k - 1]);
}

TEST(SurvivalFromAcceptedLengths, RatesThatNoFallingCurveGivesAreRefused) {
  // The B300 one-user speeds imply 2.97 at k 5 and 2.92 at k 7.
  const auto falling = survival_from_accepted_lengths({{5, 2.97}, {7, 2.92}}, 7);
  ASSERT_FALSE(falling);
  EXPECT_THAT(to_string(falling.error()), HasSubstr("accepted length 2.920 at k 7 after 2.970"));
  EXPECT_FALSE(survival_from_accepted_lengths({{1, 1.5}, {2, 2.2}}, 2));
}

/// Costs as in the published run (vllm_b300_*_cost.csv): one user, 1, 2, 4, 6 and 8 rows.
StepCost b300() {
  StepCost::Parts parts;
  parts.verify_table =
      *CostTable::make({{1, 5.11e-3}, {2, 5.16e-3}, {4, 5.12e-3}, {8, 5.35e-3}, {16, 5.59e-3}}, {}, "v");
  parts.draft_table = *CostTable::make({{1, 0.88e-3}, {2, 0.92e-3}}, {}, "d");
  return StepCost(parts);
}

TEST(SingleUserFit, ReproducesTheFittedSpeedsAndPredictsTheOther) {
  const std::vector<SingleUserSpeed> speeds = {
      {0, 170.9, true}, {1, 273.5, true}, {3, 391.3, true}, {5, 426.2, true}, {7, 419.2, false}};
  const auto fit = fit_single_user(speeds, b300(), 7, 0.84, {});
  ASSERT_TRUE(fit) << to_string(fit.error());
  EXPECT_NEAR(fit->overhead_seconds, 1 / 170.9 - 5.11e-3, 1e-12);
  int fitted = 0;
  for (const FitLine& line : fit->lines) {
    if (line.role == "fitted" && line.unit == "tokens/s") {
      EXPECT_NEAR(line.modelled / line.measured, 1, 0.001) << line.what;
      ++fitted;
    }
    if (line.role == "predicted") {
      EXPECT_EQ(line.what, "user speed of k7");
      EXPECT_EQ(line.measured, 419.2);
      EXPECT_GT(line.modelled, 426.2) << "a falling curve cannot follow the published fall from k5 to k7";
      EXPECT_LT(line.modelled, 470);
    }
  }
  EXPECT_EQ(fitted, 4);
  const auto role = [&](int k) {
    for (const FitLine& line : fit->lines) {
      if (line.what == "survival." + std::to_string(k)) return line.role;
    }
    return std::string();
  };
  EXPECT_EQ(role(1), "solved");
  EXPECT_EQ(role(2), "interpolated");
  EXPECT_EQ(role(5), "interpolated");
  EXPECT_EQ(role(6), "extrapolated");
}

TEST(SingleUserFit, SaysWhatIsMissing) {
  const auto message = [](const std::vector<SingleUserSpeed>& speeds) {
    const auto fit = fit_single_user(speeds, b300(), 7, 0.84, {});
    return fit ? std::string() : to_string(fit.error());
  };
  EXPECT_THAT(message({{1, 270, true}}), HasSubstr("needs the fitted speed of 'none'"));
  EXPECT_THAT(message({{0, 170, true}}), HasSubstr("at least one k"));
  EXPECT_THAT(message({{0, 300, true}, {1, 270, true}}), HasSubstr("less than its measured step cost"));
  EXPECT_THAT(message({{0, 170, true}, {9, 270, true}}), HasSubstr("larger than block_size"));
}

}  // namespace
}  // namespace dspark
