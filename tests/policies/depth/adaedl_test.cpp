#include <gmock/gmock.h>

#include "tests/policies/depth/scene.h"

namespace dspark {
namespace {

using testing::affine_cost;
using testing::Blocks;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::policy;
using testing::Scene;
using testing::written;
using testing::written_map;

bool keeps(const DepthPolicy& rule, double entropy, int k = 1) {
  return rule.draft_stop()->keep_drafting({.position = k, .before = {.entropy = entropy}});
}

/// One finished step of one request that drafted and verified `verified` tokens of at most 8.
void observe(DepthPolicy& rule, int verified, int accepted) {
  Scene scene(1, 8, affine_cost(1, 1));
  Blocks blocks(1, 8);
  scene.plan(rule);
  blocks.drafted = {verified};
  blocks.accepted = {accepted};
  scene.frontier.reset(blocks.columns());
  scene.finish(rule, blocks, {verified});
}

TEST(Adaedl, StopsWhereEntropyExceedsTheSquareOfWhatTheThresholdLeaves) {
  // 1 - √(0.2·H) < 0.5 is H > 0.25/0.2 = 1.25 nats.
  const auto rule = policy("adaedl");
  EXPECT_TRUE(keeps(*rule, 1.249));
  EXPECT_FALSE(keeps(*rule, 1.251));
  EXPECT_EQ(rule->traits().signals, kEntropy);
}

TEST(Adaedl, DraftsToItsLargestBlockAndVerifiesWhatWasDrafted) {
  const auto rule = policy("adaedl", written_map({{"k_max", written("5")}}));
  Scene wide(2, 7, affine_cost(1, 1));
  EXPECT_EQ(wide.plan(*rule), PlanAnswer::kVerifyAll);
  EXPECT_THAT(wide.planned, Each(5));
  Blocks blocks(2, 7);
  std::fill(blocks.entropy.begin(), blocks.entropy.end(), 0.1f);
  blocks.entropy[blocks.cell(1, 3)] = 4.0f;
  EXPECT_THAT(wide.decide(*rule, blocks), ElementsAre(5, 3))
      << "the token that triggered the stop is submitted";
}

TEST(Adaedl, DraftsItsLeastNumberWhateverTheEntropy) {
  const auto rule = policy("adaedl", written_map({{"k_min", written("3")}}));
  EXPECT_TRUE(keeps(*rule, 100, 2));
  EXPECT_FALSE(keeps(*rule, 100, 3));
}

TEST(Adaedl, TheThresholdRisesWhereTooLittleIsAccepted) {
  // r = 0.5·0.9 + 0.5·0 = 0.45 < 0.9: λ' = 0.51, λ = 0.9·0.5 + 0.1·0.51 = 0.501, and H > 0.499²/0.2
  // = 1.245005 stops.
  const auto rule = policy("adaedl");
  observe(*rule, 4, 0);
  EXPECT_TRUE(keeps(*rule, 1.2449));
  EXPECT_FALSE(keeps(*rule, 1.2451));
}

TEST(Adaedl, TheThresholdFallsWhereEnoughIsAccepted) {
  // r = 0.95: λ = 0.499, and H > 0.501²/0.2 = 1.255005 stops.
  const auto rule = policy("adaedl");
  observe(*rule, 4, 4);
  EXPECT_TRUE(keeps(*rule, 1.2549));
  EXPECT_FALSE(keeps(*rule, 1.2551));
}

TEST(Adaedl, AtFullLengthTheThresholdHoldsUnlessToldOtherwise) {
  const auto holds = policy("adaedl");
  observe(*holds, 8, 8);
  EXPECT_FALSE(keeps(*holds, 1.2549));
  EXPECT_TRUE(keeps(*holds, 1.2499));
  const auto falls = policy("adaedl", written_map({{"hold_at_full_length", written("false")}}));
  observe(*falls, 8, 8);
  EXPECT_TRUE(keeps(*falls, 1.2549));
}

TEST(Adaedl, StepsWithoutVerifiedTokensTeachNothing) {
  const auto rule = policy("adaedl");
  observe(*rule, 0, 0);
  EXPECT_TRUE(keeps(*rule, 1.2499));
  EXPECT_FALSE(keeps(*rule, 1.2501));
}

}  // namespace
}  // namespace dspark
