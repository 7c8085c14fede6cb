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
using ::testing::HasSubstr;
using testing::policy;
using testing::Scene;
using testing::written;
using testing::written_map;

std::unique_ptr<DepthPolicy> knee(const std::string& requests, const std::string& k,
                                  const std::string& inside) {
  return policy(
      "load_knee",
      written_map({{"requests", written(requests)}, {"k", written(k)}, {"policy", written(inside)}}));
}

TEST(LoadKnee, BelowTheKneeItIsFixedAndFromItOnThePolicyInside) {
  auto rule = knee("3", "2", "threshold");
  Scene below(2, 4, affine_cost(1, 1));
  EXPECT_EQ(below.plan(*rule), PlanAnswer::kVerifyAll);
  EXPECT_THAT(below.planned, Each(2));
  Scene from(3, 4, affine_cost(1, 1));
  Blocks blocks = blocks_of({{0.9f, 0.5f, 0.9f, 0.9f}, {0.9f, 0.9f, 0.9f, 0.9f}, {0.5f, 0.9f, 0.9f, 0.9f}});
  EXPECT_THAT(from.decide(*rule, blocks), ElementsAre(1, 4, 0));
}

TEST(LoadKnee, ADraftStopInsideRestsBelowTheKnee) {
  auto rule = knee("3", "4", "adaedl");
  Scene below(2, 4, affine_cost(1, 1));
  Blocks blocks(2, 4);
  std::fill(blocks.entropy.begin(), blocks.entropy.end(), 5.0f);  // adaedl would stop after one token
  EXPECT_THAT(below.decide(*rule, blocks), Each(4));
  Scene from(3, 4, affine_cost(1, 1));
  Blocks more(3, 4);
  std::fill(more.entropy.begin(), more.entropy.end(), 5.0f);
  EXPECT_THAT(from.decide(*rule, more), Each(1));
}

TEST(LoadKnee, AsksForWhatBothSidesNeed) {
  EXPECT_EQ(knee("3", "5", "fixed:2")->traits().deepest, 5);
  EXPECT_EQ(knee("3", "1", "fixed:2")->traits().deepest, 2);
  EXPECT_TRUE(knee("3", "1", "none")->traits().uses_drafter);
  EXPECT_FALSE(knee("3", "0", "none")->traits().uses_drafter);
  EXPECT_EQ(
      policy("load_knee", written_map({{"requests", written("3")}, {"k", written("1")}}))->traits().history,
      2)
      << "dspark_async unless written";
}

TEST(LoadKnee, TheKneeAndKAreRequired) {
  Parameters parameters(written_map({}));
  make_depth_policy("load_knee", parameters);
  EXPECT_THAT(testing::texts(parameters.errors()),
              ElementsAre(HasSubstr("missing parameter 'requests'"), HasSubstr("missing parameter 'k'")));
}

TEST(LoadKnee, NeverAnticipates) {
  EXPECT_EQ(decisions_that_anticipate([] { return knee("2", "1", "dspark_async"); }, 101), 0);
}

}  // namespace
}  // namespace dspark
