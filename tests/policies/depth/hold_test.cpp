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

std::unique_ptr<DepthPolicy> hold(const std::string& steps, Value inside) {
  return policy("hold", written_map({{"steps", written(steps)}, {"policy", std::move(inside)}}));
}

TEST(Hold, TheBudgetOfAChoiceIsRepeatedAndGoesToTheMostLikelyOfEachStep) {
  const Blocks one = blocks_of({{0.9f, 0.1f}, {0.1f, 0.9f}});    // threshold:0.7 admits one token
  const Blocks four = blocks_of({{0.8f, 0.9f}, {0.9f, 0.95f}});  // and here all four
  Scene scene(2, 2, affine_cost(1, 1));
  auto rule = hold("3", written("threshold"));
  std::vector<std::vector<int>> lengths;
  for (int step = 0; step < 5; ++step) {
    Blocks blocks = step == 0 ? one : four;
    lengths.push_back(scene.decide(*rule, blocks));
    scene.finish(*rule, blocks, lengths.back());
  }
  EXPECT_THAT(lengths, ElementsAre(ElementsAre(1, 0), ElementsAre(0, 1), ElementsAre(0, 1), ElementsAre(2, 2),
                                   ElementsAre(2, 2)));
}

TEST(Hold, TheBudgetFollowsTheNumberOfRequests) {
  auto rule = hold("9", written("threshold"));
  Scene two(2, 3, affine_cost(1, 1));
  Blocks blocks = blocks_of({{0.9f, 0.9f, 0.1f}, {0.9f, 0.1f, 0.1f}});  // 1.5 tokens per request
  EXPECT_EQ(total(two.decide(*rule, blocks)), 3);
  Scene five(5, 3, affine_cost(1, 1));
  five.step = 1;
  Blocks more(5, 3);
  EXPECT_EQ(total(five.decide(*rule, more)), 8) << "7.5, rounded";
}

TEST(Hold, APlanIsHeldAsItsMean) {
  Scene scene(3, 4, affine_cost(1, 1));
  scene.block_cap = {4, 1, 4};
  auto rule = hold(
      "2", written_map({{"floor", written_map({{"tokens", written("3")}, {"policy", written("fixed:1")}})}}));
  EXPECT_EQ(scene.plan(*rule), PlanAnswer::kVerifyAll);
  EXPECT_THAT(scene.planned, ElementsAre(3, 1, 3));
  ++scene.step;
  EXPECT_EQ(scene.plan(*rule), PlanAnswer::kVerifyAll);
  EXPECT_THAT(scene.planned, Each(2)) << "7/3, rounded; the engine cuts it to each length limit";
  ++scene.step;
  scene.plan(*rule);
  EXPECT_THAT(scene.planned, ElementsAre(3, 1, 3));
}

/// smart_spec with its own k anew in every step: what hold makes of it is k anew in every third.
TEST(Hold, ThePolicyInsideIsAskedAgainOnlyAfterSoManySteps) {
  const auto smart = [] {
    return written_map({{"smart_spec", written_map({{"update_every", written("1")}})}});
  };
  auto held = hold("3", smart());
  auto free = policy("smart_spec", written_map({{"update_every", written("1")}}));
  Scene a(2, 4, affine_cost(1, 0.05));
  Scene b(2, 4, affine_cost(1, 0.05));
  std::vector<int> of_held;
  std::vector<int> of_free;
  for (int step = 0; step < 7; ++step) {
    Blocks blocks(2, 4);  // nothing is accepted: acceptance falls from step to step
    const auto held_lengths = a.decide(*held, blocks);
    of_held.push_back(held_lengths[0]);
    a.finish(*held, blocks, held_lengths);
    const auto free_lengths = b.decide(*free, blocks);
    of_free.push_back(free_lengths[0]);
    b.finish(*free, blocks, free_lengths);
  }
  EXPECT_GT(of_free.front(), of_free.back()) << "or the test says nothing";
  EXPECT_EQ(of_held[0], of_free[0]);
  EXPECT_EQ(of_held[1], of_held[0]);
  EXPECT_EQ(of_held[2], of_held[0]);
  EXPECT_LT(of_held[3], of_held[0]);
}

TEST(Hold, OneStepIsThePolicyInside) {
  std::mt19937 coins(121);
  auto held = hold("1", written("dspark"));
  auto free = policy("dspark");
  Scene scene(3, 4, affine_cost(3, 1));
  for (int step = 0; step < 20; ++step) {
    Blocks blocks = Blocks::random(coins, 3, 4);
    const std::vector<int> verified = scene.decide(*held, blocks);
    ASSERT_EQ(verified, scene.decide(*free, blocks));
    scene.finish(*held, blocks, verified);
  }
}

TEST(Hold, AStepInWhichNothingCouldBeChosenHoldsNothing) {
  Scene scene(1, 2, affine_cost(1, 1));
  auto rule = hold("5", written("threshold"));
  scene.plan(*rule);  // nothing was granted: `choose` is not asked
  ++scene.step;
  Blocks blocks = blocks_of({{0.9f, 0.9f}});
  EXPECT_THAT(scene.decide(*rule, blocks), ElementsAre(2));
}

TEST(Hold, HoldsTheBudgetOfARuleThatAnticipates) {
  Scene scene(2, 3, affine_cost(100, 1e-3));
  auto rule = hold("2", written("oracle"));
  Blocks first(2, 3);
  first.accepted = {3, 0};
  const auto verified = scene.decide(*rule, first);
  EXPECT_THAT(verified, ElementsAre(3, 0));
  scene.finish(*rule, first, verified);
  Blocks second(2, 3);
  second.accepted = {0, 0};
  EXPECT_EQ(total(scene.decide(*rule, second)), 3);
}

TEST(Hold, NeverAnticipates) {
  for (const std::string inside : {"dspark", "dspark_async", "threshold:0.4", "smart_spec"}) {
    EXPECT_EQ(decisions_that_anticipate([&] { return hold("2", written(inside)); }, 122), 0) << inside;
  }
}

}  // namespace
}  // namespace dspark
