#include <gmock/gmock.h>

#include "tests/policies/depth/scene.h"

namespace dspark {
namespace {

using testing::affine_cost;
using testing::Blocks;
using testing::blocks_of;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::policy;
using testing::Scene;
using testing::table_cost;
using testing::written;
using testing::written_map;

TEST(None, DraftsNothingAndLoadsNoDrafter) {
  Scene scene(3, 7, affine_cost(1, 1));
  auto rule = policy("none");
  EXPECT_EQ(scene.plan(*rule), PlanAnswer::kVerifyAll);
  EXPECT_THAT(scene.planned, Each(0));
  EXPECT_FALSE(rule->traits().uses_drafter);
}

TEST(Fixed, VerifiesKTokensAndSaysHowDeepItGoes) {
  Scene scene(3, 7, affine_cost(1, 1));
  EXPECT_EQ(scene.plan(*policy("fixed", {}, written("3"))), PlanAnswer::kVerifyAll);
  EXPECT_THAT(scene.planned, Each(3));
  EXPECT_EQ(policy("fixed", written_map({{"k", written("15")}}))->traits().deepest, 15);
}

TEST(Threshold, TheFirstTokenBelowCutsAndOneAtTheThresholdStays) {
  Scene scene(4, 3, affine_cost(1, 1));
  Blocks blocks =
      blocks_of({{0.75f, 0.5f, 0.9f}, {0.9f, 0.9f, 0.9f}, {0.4f, 0.9f, 0.9f}, {0.9f, 0.49f, 0.9f}});
  EXPECT_THAT(scene.decide(*policy("threshold", {}, written("0.5")), blocks), ElementsAre(3, 3, 0, 1));
  EXPECT_THAT(scene.decide(*policy("threshold"), blocks), ElementsAre(1, 3, 0, 1)) << "0.7 unless written";
  EXPECT_THAT(scene.decide(*policy("threshold", {}, written("0")), blocks), Each(3));
}

TEST(Threshold, LooksAtConfidenceAndNotAtSurvival) {
  Scene scene(1, 4, affine_cost(1, 1));
  Blocks blocks = blocks_of({{0.8f, 0.8f, 0.8f, 0.8f}});  // survival ends at 0.41
  EXPECT_THAT(scene.decide(*policy("threshold"), blocks), ElementsAre(4));
}

Blocks blocks_accepting(std::vector<int> accepted) {
  Blocks blocks(static_cast<int>(accepted.size()), 4);
  blocks.accepted = std::move(accepted);
  return blocks;
}

TEST(Oracle, VerifiesAllThatWillBeAcceptedWhereThatIsCheap) {
  Scene scene(3, 4, affine_cost(100, 1e-3));
  Blocks blocks = blocks_accepting({3, 0, 2});
  auto rule = policy("oracle");
  EXPECT_FALSE(rule->traits().lossless);
  EXPECT_THAT(scene.decide(*rule, blocks), ElementsAre(3, 0, 2));
}

TEST(Oracle, StopsAtTheCliffAndGivesOutPositionByPosition) {
  Scene scene(3, 4, table_cost({{3, 1.0}, {6, 1.01}, {12, 10.0}}));  // three draft tokens are nearly free
  Blocks blocks = blocks_accepting({3, 0, 2});
  EXPECT_THAT(scene.decide(*policy("oracle"), blocks), ElementsAre(2, 0, 1));
}

TEST(Oracle, TiesTakeTheFewerTokens) {
  Scene scene(1, 4, affine_cost(0, 1));  // (1 + n)/(1 + n) for every n
  Blocks blocks = blocks_accepting({4});
  EXPECT_THAT(scene.decide(*policy("oracle"), blocks), ElementsAre(0));
}

TEST(OracleDeathTest, ARunnerThatKnowsNoOutcomesIsABrokenInvariant) {
  Scene scene(1, 2, affine_cost(1, 1));
  auto rule = policy("oracle");
  scene.plan(*rule);
  const Blocks blocks = blocks_of({{0.5f, 0.5f}});
  DraftColumns columns = blocks.columns();
  columns.accepted_if_verified = {};
  const Step step = scene.chosen_step();
  std::vector<int> lengths(1);
  EXPECT_DEATH(rule->choose_in_hindsight({step, columns}, lengths), "broken invariant");
}

TEST(DepthPolicyDeathTest, OutcomesShowSignalsOfVerifiedPositionsOnly) {
  const Blocks blocks = blocks_of({{0.5f, 0.25f}});
  const std::vector<int> verified = {1};
  StepOutcome outcome;
  outcome.verified = verified;
  outcome.drafts = blocks.columns();
  EXPECT_EQ(outcome.signals(0, 1).confidence, 0.5);
  EXPECT_DEATH(outcome.signals(0, 2), "broken invariant");
  EXPECT_DEATH(outcome.signals(0, 0), "broken invariant");
}

TEST(DepthPolicyDeathTest, OnlyRulesThatSayTheyAnticipateAnswerInHindsight) {
  Scene scene(1, 2, affine_cost(1, 1));
  auto rule = policy("dspark");
  scene.plan(*rule);
  const Step step = scene.chosen_step();
  const Blocks blocks = blocks_of({{0.5f, 0.5f}});
  std::vector<int> lengths(1);
  EXPECT_DEATH(rule->choose_in_hindsight({step, blocks.columns()}, lengths), "broken invariant");
  EXPECT_DEATH(step.earlier(0), "broken invariant");
  EXPECT_EQ(step.earlier(1).requests, 0) << "there was no step before the first";
}

}  // namespace
}  // namespace dspark
