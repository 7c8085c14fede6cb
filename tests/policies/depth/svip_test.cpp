#include <gmock/gmock.h>

#include "tests/policies/depth/scene.h"

namespace dspark {
namespace {

using testing::affine_cost;
using testing::Blocks;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::policy;
using testing::Scene;
using ::testing::ThrowsMessage;
using testing::written;
using testing::written_map;

bool keeps(const DepthPolicy& rule, double entropy) {
  return rule.draft_stop()->keep_drafting({.before = {.entropy = entropy}});
}

TEST(Svip, StopsAboveSixTenthsOfANat) {
  // √(0.15·H) > 0.3 is H > 0.09/0.15.
  const auto rule = policy("svip");
  EXPECT_TRUE(keeps(*rule, 0.599));
  EXPECT_FALSE(keeps(*rule, 0.601));
  EXPECT_EQ(rule->traits().signals, kEntropy);
  EXPECT_TRUE(rule->traits().lossless);
}

TEST(Svip, ThresholdAndFactorSetTheEntropyThatStops) {
  const auto rule = policy("svip", written_map({{"threshold", written("0.5")}, {"factor", written("0.2")}}));
  EXPECT_TRUE(keeps(*rule, 1.249));  // 0.25/0.2 = 1.25
  EXPECT_FALSE(keeps(*rule, 1.251));
  EXPECT_FALSE(keeps(*policy("svip", {}, written("0")), 0.001)) << "threshold 0 stops at the first token";
  EXPECT_TRUE(keeps(*policy("svip", {}, written("10")), 600)) << "and a high one never";
}

TEST(Svip, TheTokenThatTriggersTheStopIsSubmitted) {
  const auto rule = policy("svip");
  Scene scene(2, 7, affine_cost(1, 1));
  Blocks blocks(2, 7);
  std::fill(blocks.entropy.begin(), blocks.entropy.end(), 0.1f);
  blocks.entropy[blocks.cell(1, 3)] = 2.0f;
  EXPECT_THAT(scene.decide(*rule, blocks), ElementsAre(7, 3));
}

TEST(Svip, DraftsNoMoreThanFortyAndNoMoreThanTheBlock) {
  Scene deep(2, 64, affine_cost(1, 1));
  EXPECT_EQ(deep.plan(*policy("svip")), PlanAnswer::kVerifyAll);
  EXPECT_THAT(deep.planned, Each(40));
  Scene shallow(2, 7, affine_cost(1, 1));
  shallow.plan(*policy("svip"));
  EXPECT_THAT(shallow.planned, Each(7));
}

TEST(Svip, RefusesANegativeThreshold) {
  EXPECT_THAT([] { policy("svip", {}, written("-0.1")); },
              ThrowsMessage<std::runtime_error>(HasSubstr("'threshold' must be")));
}

}  // namespace
}  // namespace dspark
