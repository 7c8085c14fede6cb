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
using testing::total;
using testing::written;
using testing::written_map;

std::unique_ptr<DepthPolicy> held(const std::string& form, const std::string& update_every,
                                  const std::string& initial_k = "5") {
  return policy("ascend_held", written_map({{"form", written(form)},
                                            {"update_every", written(update_every)},
                                            {"initial_k", written(initial_k)}}));
}

/// Tokens verified in each of `steps` steps with the same draws.
std::vector<int> totals(DepthPolicy& rule, Scene& scene, Blocks blocks, int steps) {
  std::vector<int> result;
  for (int i = 0; i < steps; ++i) {
    const std::vector<int> verified = scene.decide(rule, blocks);
    result.push_back(total(verified));
    scene.finish(rule, blocks, verified);
  }
  return result;
}

TEST(AscendHeld, SurvivalsOfAtLeastThreeTenthsAreCountedAndTheMeanRoundedUpToOdd) {
  // Survivals .9 .45 .36 .29.. and .29 ..: counts 3 and 0, mean 1.5, up to 2, odd: 3; two requests: 6.
  const Blocks blocks = blocks_of({{0.9f, 0.5f, 0.8f, 0.8f, 1.0f}, {0.29f, 1.0f, 1.0f, 1.0f, 1.0f}});
  Scene scene(2, 5, affine_cost(1, 1));
  auto rule = held("survival", "2", "2");
  EXPECT_THAT(totals(*rule, scene, blocks, 5), ElementsAre(4, 4, 6, 6, 6));
}

TEST(AscendHeld, RawConfidencesAboveSevenTenthsAreCountedWhereverTheyStand) {
  // .9 .8 .9 1 and 1 1 1 1 behind a .29: counts 4 and 4, mean 4, odd: 5 - the budget may exceed the block.
  const Blocks blocks = blocks_of({{0.9f, 0.5f, 0.8f, 0.9f, 1.0f}, {0.29f, 1.0f, 1.0f, 1.0f, 1.0f}});
  Scene scene(2, 5, affine_cost(1, 1));
  EXPECT_THAT(totals(*held("confidence", "1", "1"), scene, blocks, 2), ElementsAre(2, 10));
}

TEST(AscendHeld, AnEvenCountAsLongAsTheBlockStaysInTheSurvivalForm) {
  // All of two tokens each were certain; now there are four each.
  Blocks blocks(3, 4);
  const auto after = [&](const std::string& form) {
    Scene scene(3, 4, affine_cost(1, 1));
    const std::vector<float> certain(6, 1.0f);
    scene.history.push_front({certain, certain});
    scene.step = 1;
    return total(scene.decide(*held(form, "1"), blocks));
  };
  EXPECT_EQ(after("survival"), 6);
  EXPECT_EQ(after("confidence"), 9);
}

TEST(AscendHeld, NoneIsAnEvenCountToo) {
  const Blocks hopeless = blocks_of({{0.1f, 0.1f}, {0.1f, 0.1f}, {0.1f, 0.1f}});
  for (const std::string form : {"survival", "confidence"}) {
    Scene scene(3, 2, affine_cost(1, 1));
    EXPECT_THAT(totals(*held(form, "1"), scene, hopeless, 2), ElementsAre(6, 3)) << form;
  }
}

TEST(AscendHeld, TheBudgetGoesToTheMostLikelyBehindTheFirstTokenOfEach) {
  Blocks blocks = blocks_of({{0.9f, 0.9f, 0.9f}, {0.1f, 0.1f, 0.1f}, {0.5f, 0.5f, 0.5f}});
  Scene scene(3, 3, affine_cost(1, 1));
  EXPECT_THAT(scene.decide(*held("survival", "9", "1"), blocks), Each(1));
  EXPECT_THAT(scene.decide(*held("survival", "9", "2"), blocks), ElementsAre(3, 1, 2));
}

TEST(AscendHeld, PublishedDefaultsAreFiveThenEverySixteenOrFiftySteps) {
  const Blocks hopeless(1, 7);  // confidences of a half: one survival of at least .3, none above .7
  const auto first_change = [&](const std::string& form) {
    Scene scene(1, 7, affine_cost(1, 1));
    auto rule = policy("ascend_held", written_map({{"form", written(form)}}));
    const std::vector<int> verified = totals(*rule, scene, hopeless, 60);
    EXPECT_EQ(verified.front(), 5);
    EXPECT_EQ(verified.back(), 1);
    return std::find(verified.begin(), verified.end(), 1) - verified.begin();
  };
  EXPECT_EQ(first_change("survival"), 16);
  EXPECT_EQ(first_change("confidence"), 50);
}

TEST(AscendHeld, AStepWithoutDraftsIsNotCounted) {
  Scene scene(1, 7, affine_cost(1, 1));
  auto rule = held("survival", "1");
  Blocks blocks(1, 7);
  scene.finish(*rule, blocks, scene.decide(*rule, blocks));
  scene.history[0] = {};
  EXPECT_THAT(scene.decide(*rule, blocks), ElementsAre(5));
}

TEST(AscendHeld, NeverAnticipates) {
  EXPECT_EQ(decisions_that_anticipate([] { return held("survival", "1"); }, 81), 0);
  EXPECT_EQ(decisions_that_anticipate([] { return held("confidence", "2", "1"); }, 82), 0);
}

}  // namespace
}  // namespace dspark
