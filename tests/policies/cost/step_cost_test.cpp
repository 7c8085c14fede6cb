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

TEST(StepCost, LinearTermsCountRequestsAndAttendedTokens) {
  const StepCost cost({.verify_table = table({{8, 1}, {16, 2}}),
                       .verify_terms = {.seconds_per_request = 0.1, .seconds_per_context_token = 0.001}});
  EXPECT_TRUE(cost.has_terms());
  EXPECT_DOUBLE_EQ(cost.terms_seconds(4, 500), 0.4 + 0.5);
  EXPECT_EQ(cost.verify_seconds(4, 12), 2) << "the rows' part";
  EXPECT_FALSE(StepCost({.verify_table = table({{8, 1}, {16, 2}})}).has_terms());
}

TEST(StepCost, RowsAttendToWhatStandsBeforeThemAndToThemselves) {
  EXPECT_EQ(attended_tokens(10, 1), 11);
  EXPECT_EQ(attended_tokens(10, 3), 11 + 12 + 13);
  EXPECT_EQ(attended_tokens(0, 4), 1 + 2 + 3 + 4) << "a prompt";
  EXPECT_EQ(attended_tokens(10, 0), 0);
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

TEST(StepCost, AShorterBlockOfABlockDrafterCostsLessAsFarAsItIsSaid) {
  StepCost::Parts parts;
  parts.draft_table = *CostTable::make({{1, 2}, {100, 20}}, {}, "draft");
  parts.draft_block_size = 7;
  EXPECT_EQ(StepCost(parts).draft_seconds(1, 1), 2) << "nothing is said: a block is a block";
  parts.one_token_share = 0.7;
  EXPECT_DOUBLE_EQ(StepCost(parts).draft_seconds(1, 7), 2);
  EXPECT_DOUBLE_EQ(StepCost(parts).draft_seconds(1, 1), 1.4);
  EXPECT_DOUBLE_EQ(StepCost(parts).draft_seconds(1, 4), 1.7) << "half way";
  EXPECT_DOUBLE_EQ(StepCost(parts).draft_seconds(100, 1), 14);
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

/// Two requests with 99 and 199 tokens before their anchors; a token attended to costs 1 ms, a request 0.25
/// s.
struct PricedByContext {
  StepCost cost{{.verify_affine = {.bias_seconds = 10, .seconds_per_token = 1},
                 .verify_terms = {.seconds_per_request = 0.25, .seconds_per_context_token = 1e-3}}};
  std::vector<RequestId> ids = std::vector<RequestId>(2);
  std::vector<std::int32_t> contexts = {99, 199};
  RequestColumns columns() const { return {.id = ids, .context = contexts}; }
};

TEST(PlanView, RowsOfAContextCostItsTokens) {
  const PricedByContext step;
  PlanView view{.request = step.columns(), .cost = &step.cost};
  EXPECT_DOUBLE_EQ(view.seconds(0), 10 + 2 + 0.5 + 0.3);
  EXPECT_DOUBLE_EQ(view.seconds(3), 10 + 2 * 4 + 0.5 + 4 * 0.3) << "each row at the mean of the contexts";
}

TEST(Step, AnAdmittedTokenCostsTheMeanContext) {
  const PricedByContext priced;
  Step step;
  step.request = priced.columns();
  step.prefill_rows = 2;
  step.cost = &priced.cost;
  const AddedSeconds added = added_seconds(priced.cost, step.request, step.prefill_rows);
  step.draft_and_overhead_seconds = 0.5 + added.anchors;
  step.added_seconds_per_row = added.per_row;
  EXPECT_DOUBLE_EQ(step.seconds(0), 0.5 + 0.5 + 10 + 4 + 0.6) << "prompt rows count as the mean too";
  EXPECT_DOUBLE_EQ(step.seconds(3), 0.5 + 0.5 + 10 + 7 + 0.6 + 3 * 0.15);
  std::vector<double> seconds(2);
  step.seconds_from(2, CostForm::kStaircase, seconds);
  EXPECT_DOUBLE_EQ(seconds[0], step.seconds(2));
  EXPECT_DOUBLE_EQ(seconds[1], step.seconds(3));
}

}  // namespace
}  // namespace dspark
