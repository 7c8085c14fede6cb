#include "policies/cost/step_cost.h"

#include <gtest/gtest.h>

#include "policies/depth/depth_policy.h"

namespace dspark {
namespace {

CostTable table(std::vector<CostTable::Point> points) {
  return *CostTable::make(std::move(points), {}, "test");
}

TEST(StepCost, WithoutATableVerificationIsAffineInRequestsAndRows) {
  const StepCost cost(
      {.verify_affine = {.bias_seconds = 1, .seconds_per_request = 0.1, .seconds_per_token = 0.01}});
  EXPECT_DOUBLE_EQ(cost.verify_seconds(4, 12), 1 + 0.4 + 0.12);
  EXPECT_EQ(cost.verify_seconds(0, 0), 0) << "no rows cost nothing";
}

TEST(StepCost, ATableIsReadByRowsAndNoRowsCostNothing) {
  const StepCost cost({.verify_table = table({{8, 1}, {16, 2}, {32, 6}})});
  EXPECT_EQ(cost.verify_seconds(4, 12), 2);
  EXPECT_LT(cost.verify_seconds(4, 12, CostForm::kHull), 2);
  EXPECT_EQ(cost.verify_seconds(0, 0), 0);
}

TEST(StepCost, ASequentialDrafterPaysForEveryPosition) {
  StepCost::Parts parts{.draft_table = table({{8, 1}, {16, 2}})};
  EXPECT_EQ(StepCost(parts).draft_seconds(10, 7), 2);
  parts.sequential_drafter = true;
  EXPECT_EQ(StepCost(parts).draft_seconds(10, 7), 14);
  EXPECT_EQ(StepCost(parts).draft_seconds(0, 7), 0);
  EXPECT_EQ(StepCost(parts).draft_seconds(10, 0), 0);
  EXPECT_EQ(StepCost().draft_seconds(10, 7), 0) << "without a table drafting is free";
}

TEST(StepCost, ADecisionAfterDraftingCostsItsTime) {
  const StepCost cost({.overhead_seconds = 0.5, .decision_seconds = 0.25});
  EXPECT_EQ(cost.overhead_seconds(false), 0.5);
  EXPECT_EQ(cost.overhead_seconds(true), 0.75);
}

TEST(PlanView, PricesAStepInWhichEveryRequestVerifiesKTokens) {
  const StepCost cost({.verify_affine = {.bias_seconds = 10, .seconds_per_token = 1},
                       .draft_table = table({{1, 1}, {2, 3}}),
                       .sequential_drafter = true,
                       .overhead_seconds = 0.5,
                       .decision_seconds = 100,
                       .idle_drafter_tax = 0.1});
  const std::vector<RequestId> ids(2);
  PlanView view;
  view.request.id = ids;
  view.prefill_rows = 5;
  view.cost = &cost;
  EXPECT_DOUBLE_EQ(view.seconds(3), 3 * 3 + (10 + 2 * 4 + 5) + 0.5);
  EXPECT_DOUBLE_EQ(view.seconds(0), (10 + 2 + 5) * 1.1 + 0.5) << "an idle drafter is taxed";
}

}  // namespace
}  // namespace dspark
