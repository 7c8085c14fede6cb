#include <gmock/gmock.h>

#include "tests/policies/depth/stopping_set.h"

namespace dspark {
namespace {

using testing::affine_cost;
using testing::Blocks;
using testing::blocks_of;
using testing::decisions_that_anticipate;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::policy;
using testing::Scene;
using testing::table_cost;
using testing::written;
using testing::written_map;

std::unique_ptr<DepthPolicy> floor_of(const std::string& tokens, const std::string& inside) {
  return policy("floor", written_map({{"tokens", written(tokens)}, {"policy", written(inside)}}));
}

TEST(Floor, EachRequestVerifiesAtLeastSoMuchOfWhatItDrafted) {
  Scene scene(3, 3, affine_cost(1, 1));
  Blocks blocks = blocks_of({{0.2f, 0.2f, 0.9f}, {0.9f, 0.9f, 0.9f}, {0.9f, 0.2f, 0.9f}});
  EXPECT_THAT(scene.decide(*policy("threshold"), blocks), ElementsAre(0, 3, 1));
  EXPECT_THAT(scene.decide(*floor_of("1", "threshold"), blocks), ElementsAre(1, 3, 1));
  EXPECT_THAT(scene.decide(*floor_of("2", "threshold"), blocks), ElementsAre(3, 3, 3))
      << "the rule goes on behind the floor, where confidence is high";
  EXPECT_THAT(scene.decide(*floor_of("0", "threshold"), blocks), ElementsAre(0, 3, 1));
}

TEST(Floor, TheBudgetInsideCountsIt) {
  // Without a step before, dspark_async has a budget of two here (1/T rises at 5 rows).
  Scene scene(2, 3, table_cost({{4, 1.0}, {8, 3.0}}));
  Blocks blocks = blocks_of({{0.9f, 0.9f, 0.9f}, {0.1f, 0.1f, 0.1f}});
  EXPECT_THAT(scene.decide(*policy("dspark_async"), blocks), ElementsAre(2, 0));
  EXPECT_THAT(scene.decide(*floor_of("1", "dspark_async"), blocks), ElementsAre(1, 1));
}

TEST(Floor, RaisesPlannedBlocksButNotWhereNothingIsDraftedNorBeyondTheLengthLimit) {
  Scene scene(3, 4, affine_cost(1, 1));
  scene.block_cap = {4, 2, 4};
  EXPECT_EQ(scene.plan(*floor_of("3", "fixed:1")), PlanAnswer::kVerifyAll);
  EXPECT_THAT(scene.planned, ElementsAre(3, 2, 3));
  scene.plan(*floor_of("9", "fixed:1"));
  EXPECT_THAT(scene.planned, ElementsAre(4, 2, 4));
  scene.plan(*floor_of("3", "fixed:0"));
  EXPECT_THAT(scene.planned, Each(0));
  EXPECT_FALSE(floor_of("3", "none")->traits().uses_drafter);
}

TEST(Floor, HoldsForARuleThatAnticipates) {
  Scene scene(2, 3, affine_cost(1, 1e-3));
  Blocks blocks(2, 3);
  blocks.accepted = {3, 0};
  EXPECT_THAT(scene.decide(*floor_of("2", "oracle"), blocks), ElementsAre(3, 2));
  EXPECT_FALSE(floor_of("2", "oracle")->traits().lossless);
}

TEST(Floor, NeverAnticipates) {
  EXPECT_EQ(decisions_that_anticipate([] { return floor_of("2", "dspark"); }, 61), 0);
  EXPECT_EQ(decisions_that_anticipate([] { return floor_of("1", "threshold:0.9"); }, 62), 0);
}

}  // namespace
}  // namespace dspark
