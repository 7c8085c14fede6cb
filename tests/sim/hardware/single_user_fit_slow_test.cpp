#include <gtest/gtest.h>

#include "sim/hardware/single_user_fit.h"

namespace dspark {
namespace {

/// Costs as in the published run (vllm_b300_*_cost.csv): one user, 1, 2, 4, 6 and 8 rows.
StepCost b300() {
  StepCost::Parts parts;
  parts.verify_table =
      *CostTable::make({{1, 5.11e-3}, {2, 5.16e-3}, {4, 5.12e-3}, {8, 5.35e-3}, {16, 5.59e-3}}, {}, "v");
  parts.draft_table = *CostTable::make({{1, 0.88e-3}, {2, 0.92e-3}}, {}, "d");
  return StepCost(parts);
}

TEST(SingleUserFit, SpeedsThatNoAcceptanceHasAreMetAsNearlyAsOneCan) {
  const std::vector<SingleUserSpeed> speeds = {
      {0, 170.9, true}, {1, 273.5, true}, {3, 391.3, true}, {5, 426.2, true}, {7, 419.2, true}};
  const auto fit = fit_single_user(speeds, b300(), 7, 0.84, {});
  ASSERT_TRUE(fit) << to_string(fit.error());
  for (const FitLine& line : fit->lines) {
    if (line.unit != "tokens/s") continue;
    EXPECT_EQ(line.role, "fitted");
    EXPECT_NEAR(line.modelled / line.measured, 1, 0.015) << line.what;
    if (line.what == "user speed of k7") {
      EXPECT_GT(line.modelled, 1.004 * line.measured) << "the residual shows";
    }
  }
}

}  // namespace
}  // namespace dspark
