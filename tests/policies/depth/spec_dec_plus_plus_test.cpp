#include <gmock/gmock.h>

#include "tests/policies/depth/scene.h"

namespace dspark {
namespace {

using testing::affine_cost;
using testing::blocks_of;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::policy;
using testing::Scene;
using ::testing::ThrowsMessage;
using testing::written;
using testing::written_map;

bool keeps(const DepthPolicy& rule, int position, double survival_before) {
  return rule.draft_stop()->keep_drafting({.position = position, .survival_before = survival_before});
}

TEST(SpecDecPlusPlus, StopsWhenARejectionIsLikelierThanItsThreshold) {
  const auto rule = policy("spec_dec_plus_plus");
  EXPECT_TRUE(keeps(*rule, 3, 0.701));
  EXPECT_FALSE(keeps(*rule, 3, 0.699));
  const auto patient = policy("spec_dec_plus_plus", {}, written("0.7"));  // sample.py
  EXPECT_TRUE(keeps(*patient, 3, 0.301));
  EXPECT_FALSE(keeps(*patient, 3, 0.299));
}

TEST(SpecDecPlusPlus, TheTokenJustDrawnIsUnscoredAndSubmitted) {
  // Before x_3: 0.9·0.8 = 0.72. Before x_4: 0.648, and 1 - 0.648 > 0.3: x_4 is the last. The row whose x_4 is
  // hopeless ends there too: c_4 is not looked at.
  Scene scene(2, 8, affine_cost(1, 1));
  auto blocks = blocks_of(
      {{0.9f, 0.8f, 0.9f, 0.9f, 0.9f, 0.9f, 0.9f, 0.9f}, {0.9f, 0.8f, 0.9f, 0.01f, 0.9f, 0.9f, 0.9f, 0.9f}});
  EXPECT_THAT(scene.decide(*policy("spec_dec_plus_plus"), blocks), ElementsAre(4, 4));
}

TEST(SpecDecPlusPlus, DraftsTwoTokensWhateverTheConfidenceAndTwentyAtMost) {
  Scene scene(1, 8, affine_cost(1, 1));
  auto hopeless = blocks_of({{0.01f, 0.01f, 0.01f, 0.01f, 0.01f, 0.01f, 0.01f, 0.01f}});
  EXPECT_THAT(scene.decide(*policy("spec_dec_plus_plus"), hopeless), ElementsAre(2));
  EXPECT_THAT(scene.decide(*policy("spec_dec_plus_plus", written_map({{"k_min", written("5")}})), hopeless),
              ElementsAre(5));
  Scene deep(2, 64, affine_cost(1, 1));
  EXPECT_EQ(deep.plan(*policy("spec_dec_plus_plus")), PlanAnswer::kVerifyAll);
  EXPECT_THAT(deep.planned, Each(20));
}

TEST(SpecDecPlusPlus, ThresholdOneVerifiesEverythingAndZeroTheLeast) {
  Scene scene(1, 4, affine_cost(1, 1));
  auto blocks = blocks_of({{0.5f, 0.5f, 0.5f, 0.5f}});
  EXPECT_THAT(scene.decide(*policy("spec_dec_plus_plus", {}, written("1")), blocks), ElementsAre(4));
  EXPECT_THAT(scene.decide(*policy("spec_dec_plus_plus", {}, written("0")), blocks), ElementsAre(2));
}

TEST(SpecDecPlusPlus, RefusesBoundsThatCross) {
  EXPECT_THAT(
      [] {
        policy("spec_dec_plus_plus", written_map({{"k_min", written("5")}, {"k_max", written("4")}}));
      },
      ThrowsMessage<std::runtime_error>(HasSubstr("'k_min' is above 'k_max'")));
  EXPECT_THAT([] { policy("spec_dec_plus_plus", {}, written("1.5")); },
              ThrowsMessage<std::runtime_error>(HasSubstr("'h' must be")));
}

}  // namespace
}  // namespace dspark
