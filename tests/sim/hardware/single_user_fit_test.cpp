#include "sim/hardware/single_user_fit.h"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

namespace dspark {
namespace {

using ::testing::HasSubstr;

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
