#include <gmock/gmock.h>

#include "tests/policies/depth/stopping_set.h"

namespace dspark {
namespace {

using testing::affine_cost;
using testing::Blocks;
using testing::blocks_of;
using ::testing::Contains;
using testing::decisions_that_anticipate;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::policy;
using testing::Scene;
using testing::total;
using testing::written;
using testing::written_map;

/// Chosen: .9 .1 .9 | .5 .9 .9; products .9 .09 .081 | .5 .45 .405. By confidence the first request wins.
Blocks blocks() {
  Blocks draws = blocks_of({{0.9f, 0.9f, 0.9f}, {0.2f, 0.2f, 0.2f}});
  draws.chosen = {0.9f, 0.5f, 0.1f, 0.9f, 0.9f, 0.9f};
  return draws;
}
std::unique_ptr<DepthPolicy> tetris(std::initializer_list<std::pair<std::string, Value>> parameters) {
  return policy("tetris", written_map(parameters));
}

TEST(Tetris, TheLargestProductsOfDrawnProbabilitiesUpToTheCapacity) {
  Scene scene(2, 3, affine_cost(1, 1));
  Blocks draws = blocks();
  EXPECT_THAT(scene.decide(*policy("tetris", {}, written("1")), draws), ElementsAre(1, 1));
  EXPECT_THAT(scene.decide(*policy("tetris", {}, written("2")), draws), ElementsAre(1, 3));
  EXPECT_THAT(scene.decide(*policy("tetris", {}, written("2.5")), draws), ElementsAre(2, 3));
  EXPECT_THAT(scene.decide(*policy("tetris", {}, written("0")), draws), Each(0));
  EXPECT_THAT(scene.decide(*policy("tetris", {}, written("9")), draws), Each(3));
}

TEST(Tetris, TheCapacityMayBeOneNumberForTheStep) {
  Scene scene(2, 3, affine_cost(1, 1));
  Blocks draws = blocks();
  EXPECT_THAT(scene.decide(*tetris({{"capacity", written("3")}}), draws), ElementsAre(1, 2));
}

TEST(Tetris, ThereIsNoFloor) {
  Scene scene(2, 3, affine_cost(1, 1));
  Blocks draws = blocks();
  draws.chosen = {0.9f, 0.1f, 0.9f, 0.9f, 0.9f, 0.9f};
  EXPECT_THAT(scene.decide(*tetris({{"capacity", written("3")}}), draws), ElementsAre(3, 0));
}

TEST(Tetris, DraftsAsDeepAsToldAndVerifiesAllOfASmallBatch) {
  Scene scene(2, 3, affine_cost(1, 1));
  Blocks draws = blocks();
  const auto rule =
      tetris({{"capacity", written("1")}, {"draft", written("2")}, {"active_above", written("2")}});
  EXPECT_EQ(scene.plan(*rule), PlanAnswer::kVerifyAll);
  EXPECT_THAT(scene.planned, Each(2));
  Scene larger(3, 3, affine_cost(1, 1));
  EXPECT_EQ(larger.plan(*rule), PlanAnswer::kChoose);
}

TEST(Tetris, ByConfidenceItIsLosslessAndOtherwiseItAnticipates) {
  const auto by = [](const std::string& score) {
    return tetris({{"capacity_per_request", written("2")}, {"score", written(score)}});
  };
  EXPECT_TRUE(by("confidence")->traits().lossless);
  EXPECT_EQ(by("confidence")->traits().signals, static_cast<unsigned>(kConfidenceOnly));
  EXPECT_FALSE(by("chosen")->traits().lossless);
  EXPECT_EQ(by("chosen")->traits().signals, static_cast<unsigned>(kChosen));
  EXPECT_EQ(decisions_that_anticipate([&] { return by("confidence"); }, 91), 0);
  EXPECT_GT(decisions_that_anticipate([&] { return by("chosen"); }, 92), 100);
  Scene scene(2, 3, affine_cost(1, 1));
  Blocks draws = blocks();
  EXPECT_THAT(scene.decide(*by("confidence"), draws), ElementsAre(3, 1));
}

TEST(Tetris, NoFixedKExpectsMoreTokensFromAsManyVerified) {
  std::mt19937 coins(93);
  for (int trial = 0; trial < 200; ++trial) {
    const int requests = 1 + static_cast<int>(coins() % 6);
    const int k = 1 + static_cast<int>(coins() % 4);
    Scene scene(requests, 5, affine_cost(1, 1));
    Blocks draws = Blocks::random(coins, requests, 5);
    for (float& c : draws.confidence) c = std::max(c, 0.1f);  // enough candidates for any capacity
    const auto lengths = scene.decide(
        *tetris({{"capacity_per_request", written(std::to_string(k))}, {"score", written("confidence")}}),
        draws);
    ASSERT_EQ(total(lengths), requests * k);
    const double expected = scene.frontier.expected_accepted();
    double of_fixed = 0;
    for (int r = 0; r < requests; ++r) {
      for (int i = 1; i <= k; ++i) of_fixed += static_cast<double>(draws.survival(r, i));
    }
    ASSERT_GE(expected, of_fixed - 1e-5) << "trial " << trial;
  }
}

TEST(Tetris, OneOfTheTwoCapacitiesIsGiven) {
  const auto errors = [](Value map) {
    Parameters parameters(std::move(map));
    make_depth_policy("tetris", parameters);
    parameters.finish();
    return testing::texts(parameters.errors());
  };
  EXPECT_THAT(errors(written_map({})), Contains(HasSubstr("missing parameter 'capacity_per_request'")));
  EXPECT_THAT(errors(written_map({{"capacity", written("8")}, {"capacity_per_request", written("2")}})),
              ElementsAre(HasSubstr("'capacity' does not apply beside 'capacity_per_request'")));
}

}  // namespace
}  // namespace dspark
