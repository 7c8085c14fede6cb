#include <gmock/gmock.h>

#include <cmath>

#include "tests/policies/depth/scene.h"

namespace dspark {
namespace {

using testing::affine_cost;
using testing::Blocks;
using ::testing::Each;
using testing::policy;
using testing::Scene;
using testing::table_cost;
using testing::written;
using testing::written_map;

int planned_by(DepthPolicy& rule, Scene& scene) {
  EXPECT_EQ(scene.plan(rule), PlanAnswer::kVerifyAll);
  EXPECT_THAT(scene.planned, Each(scene.planned[0])) << "one k for the batch";
  return scene.planned[0];
}

double expected_tokens(int k, double acceptance) {
  return (1 - std::pow(acceptance, k + 1)) / (1 - acceptance);
}

/// T(k) = 1 + 0.05·k, and 0.6 more for drafting at all (POLICIES.md 1.1).
Scene trap() {
  return Scene(1, 16,
               StepCost({.verify_affine = {.bias_seconds = 0.95, .seconds_per_token = 0.05},
                         .draft_table = *CostTable::make({{1, 0.6}, {2, 0.7}}, {}, "draft")}));
}

TEST(SmartSpec, StoppingAtTheFirstFallIsATrapWhereDraftingAtAllIsDear) {
  Scene scene = trap();
  EXPECT_EQ(planned_by(*policy("smart_spec", written_map({{"initial_acceptance", written("0.8")}})), scene),
            0);
  const auto patient =
      policy("smart_spec",
             written_map({{"initial_acceptance", written("0.8")}, {"stop_at_first_fall", written("false")}}));
  EXPECT_EQ(planned_by(*patient, scene), 9);
  EXPECT_NEAR(expected_tokens(9, 0.8) / 2.05, 2.18, 0.005);
}

TEST(SmartSpec, WithoutItsBonusZeroDoesNotHoldTheScan) {
  Scene scene = trap();
  const auto rule = policy(
      "smart_spec", written_map({{"initial_acceptance", written("0.8")}, {"zero_bonus", written("1")}}));
  EXPECT_EQ(planned_by(*rule, scene), 9) << "1.8/1.65 > 1: from there goodput rises to its top";
}

TEST(SmartSpec, MeetsTheClosedFormOfAMemoryBoundMachine) {
  // A step of 1 + c·k: the best k at α = 0.8 is 8, 6, 4 for c = 0.05, 0.1, 0.2 (POLICIES.md section 6).
  for (const auto& [c, k] : {std::pair(0.05, 8), std::pair(0.1, 6), std::pair(0.2, 4)}) {
    Scene scene(1, 16, affine_cost(1 - c, c));
    EXPECT_EQ(planned_by(*policy("smart_spec", written_map({{"initial_acceptance", written("0.8")}})), scene),
              k);
  }
}

TEST(SmartSpec, DepthFallsToNothingAsLoadGrows) {
  int previous = 100;
  for (const int requests : {1, 2, 4, 8, 16, 32, 64, 128, 256, 512}) {
    Scene scene(requests, 16, affine_cost(0.01, 0.0001));
    const int k = planned_by(*policy("smart_spec"), scene);
    EXPECT_LE(k, previous) << requests << " requests";
    EXPECT_TRUE(requests > 1 || k >= 5) << "one user: deep";
    previous = k;
  }
  EXPECT_EQ(previous, 0);
}

TEST(SmartSpec, LearnsAcceptanceFromTrialsThatHappenedAndUsesItEveryTwentySteps) {
  Scene scene(2, 4, affine_cost(1, 0.1));
  const auto rule = policy("smart_spec", written_map({{"decay", written("0")}}));
  const int first = planned_by(*rule, scene);
  ASSERT_GT(first, 0);
  Blocks blocks(2, 4);
  for (int step = 0; step < 20; ++step) {
    EXPECT_EQ(planned_by(*rule, scene), first) << "step " << step;
    blocks.accepted = {0, 0};
    scene.finish(*rule, blocks, scene.decide(*rule, blocks));
  }
  EXPECT_EQ(planned_by(*rule, scene), 0) << "nothing was accepted";
}

TEST(SmartSpec, ARejectionEndsTheTrialsOfItsRequest) {
  // Of two blocks of 4, one is accepted whole and one is rejected at its second token: 5 of 6 trials, not 5
  // of 8. At α = 5/6 and T = 1 + 0.32·k goodput is best at k = 2; at 5/8 it would be best at k = 1.
  const auto best_k = [](double acceptance) {
    int best = 0;
    for (int k = 1; k <= 4; ++k) {
      const auto goodput = [&](int n) { return expected_tokens(n, acceptance) / (1 + 0.32 * n); };
      if (goodput(k) > goodput(best) * (best == 0 ? 1.1 : 1)) best = k;
    }
    return best;
  };
  ASSERT_NE(best_k(5.0 / 6), best_k(5.0 / 8));
  Scene scene(2, 4, affine_cost(1 - 0.32, 0.32 / 2));  // two requests: 0.32 for each k, roughly bias 1
  scene.cost = affine_cost(1 - 0.32, 0.16);
  const auto rule =
      policy("smart_spec", written_map({{"decay", written("0")}, {"update_every", written("1")}}));
  scene.planned = {4, 4};
  Blocks blocks(2, 4);
  blocks.accepted = {4, 1};
  scene.frontier.reset(blocks.columns());
  scene.finish(*rule, blocks, {4, 4});
  EXPECT_EQ(planned_by(*rule, scene), best_k(5.0 / 6));
}

}  // namespace
}  // namespace dspark
