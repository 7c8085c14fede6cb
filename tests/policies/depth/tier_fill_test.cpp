#include <gmock/gmock.h>

#include "tests/policies/depth/stopping_set.h"

namespace dspark {
namespace {

using testing::affine_cost;
using testing::Blocks;
using testing::blocks_of;
using testing::decisions_that_anticipate;
using ::testing::ElementsAre;
using testing::policy;
using testing::Scene;
using testing::table_cost;
using testing::total;
using testing::written;
using testing::written_map;

std::unique_ptr<DepthPolicy> around(const std::string& inside) {
  return policy("tier_fill", written_map({{"policy", written(inside)}}));
}

/// threshold:0.7 admits one token of each of the two: four rows.
Blocks blocks() { return blocks_of({{0.9f, 0.5f, 0.9f}, {0.8f, 0.4f, 0.4f}}); }

TEST(TierFill, ThePaddingGoesToTheNextBestTokens) {
  Scene scene(2, 3, table_cost({{3, 1.0}, {6, 2.0}, {8, 3.0}}));
  Blocks draws = blocks();
  EXPECT_THAT(scene.decide(*policy("threshold"), draws), ElementsAre(1, 1));
  EXPECT_THAT(scene.decide(*around("threshold"), draws), ElementsAre(3, 1)) << "6 rows: .45 .405 before .32";
}

TEST(TierFill, AStepThatFitsItsGraphIsLeftAlone) {
  Scene scene(2, 3, table_cost({{4, 1.0}, {8, 3.0}}));
  Blocks draws = blocks();
  EXPECT_THAT(scene.decide(*around("threshold"), draws), ElementsAre(1, 1));
}

TEST(TierFill, NothingIsFilledBeyondTheCapturedGraphsOrWithoutAny) {
  Blocks draws = blocks();
  Scene beyond(2, 3, table_cost({{2, 1.0}, {3, 1.5}, {8, 3.0}}, 3));
  EXPECT_THAT(beyond.decide(*around("threshold"), draws), ElementsAre(1, 1));
  Scene affine(2, 3, affine_cost(1, 1));
  EXPECT_THAT(affine.decide(*around("threshold"), draws), ElementsAre(1, 1));
}

TEST(TierFill, PromptRowsAreInTheGraphToo) {
  Scene scene(2, 3, table_cost({{3, 1.0}, {6, 2.0}, {8, 3.0}}));
  const Blocks draws = blocks();
  auto rule = around("threshold");
  scene.plan(*rule);
  Step step = scene.chosen_step();
  step.prefill_rows = 1;
  scene.frontier.reset(draws.columns());
  rule->choose(step, scene.frontier);
  EXPECT_THAT(scene.frontier.admitted(), ElementsAre(2, 1));
}

TEST(TierFill, NeverFewerTokensAndNeverADearerStep) {
  std::mt19937 coins(71);
  for (int trial = 0; trial < 300; ++trial) {
    const int requests = 1 + static_cast<int>(coins() % 6);
    Scene scene(requests, 4, testing::random_staircase(coins, 5 * requests));
    Blocks draws = Blocks::random(coins, requests, 4);
    const std::vector<int> inside = scene.decide(*policy("dspark"), draws);
    const std::vector<int> filled = scene.decide(*around("dspark"), draws);
    for (std::size_t r = 0; r < inside.size(); ++r) ASSERT_GE(filled[r], inside[r]) << "trial " << trial;
    const Step step = scene.chosen_step();
    ASSERT_EQ(step.seconds(total(filled)), step.seconds(total(inside))) << "trial " << trial;
  }
}

TEST(TierFill, FillsForARuleThatAnticipates) {
  Scene scene(2, 3, table_cost({{3, 1.0}, {6, 1.1}, {8, 9.0}}));
  Blocks draws = blocks();
  draws.accepted = {2, 0};
  EXPECT_THAT(scene.decide(*policy("oracle"), draws), ElementsAre(2, 0));
  EXPECT_THAT(scene.decide(*around("oracle"), draws), ElementsAre(3, 1)) << ".8, then .405 before .32";
}

TEST(TierFill, NeverAnticipates) {
  EXPECT_EQ(decisions_that_anticipate([] { return around("dspark_async"); }, 72), 0);
  EXPECT_EQ(decisions_that_anticipate([] { return around("threshold:0.9"); }, 73), 0);
}

}  // namespace
}  // namespace dspark
