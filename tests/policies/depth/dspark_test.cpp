#include <gmock/gmock.h>

#include "tests/policies/depth/scene.h"

namespace dspark {
namespace {

using testing::affine_cost;
using testing::Blocks;
using testing::blocks_of;
using ::testing::ElementsAre;
using testing::policy;
using testing::random_staircase;
using testing::Scene;
using testing::table_cost;
using testing::written;
using testing::written_map;

std::unique_ptr<DepthPolicy> dspark_on(const std::string& form) {
  return policy("dspark", written_map({{"cost", written(form)}}));
}

int sum(const std::vector<int>& values) {
  int total = 0;
  for (const int value : values) total += value;
  return total;
}

/// Expected tokens per second of verifying the n most likely tokens.
double rate_of(const Scene& scene, const Blocks& blocks, int n, CostForm form = CostForm::kStaircase) {
  OwnedFrontier frontier;
  frontier.reset(blocks.columns());
  double tokens = blocks.requests;
  const auto survival = frontier.sorted_survivals_for_history();
  for (int i = 0; i < n; ++i) tokens += static_cast<double>(survival[static_cast<std::size_t>(i)]);
  return tokens / scene.cost.verify_seconds(blocks.requests, blocks.requests + n, form);
}
int candidates(const Blocks& blocks) {
  OwnedFrontier frontier;
  frontier.reset(blocks.columns());
  return static_cast<int>(frontier.sorted_survivals_for_history().size());
}

TEST(Dspark, AWorkedExampleStopsAtTheFirstTokenThatDoesNotRaiseTheRate) {
  // Two requests, T(n) = 1 + 0.25·n. Survivals: .9 .45 | .8 .4. Rates: 2/1.5 = 1.333; 2.9/1.75 = 1.657; 3.7/2
  // = 1.85; 4.15/2.25 = 1.844: the third token is not kept.
  Scene scene(2, 2, affine_cost(1, 0.25));
  Blocks blocks = blocks_of({{0.9f, 0.5f}, {0.8f, 0.5f}});
  EXPECT_THAT(scene.decide(*dspark_on("staircase"), blocks), ElementsAre(1, 1));
}

TEST(Dspark, ATokenThatOnlyKeepsTheRateIsNotAdmitted) {
  // T(n) = n: (1 + 1)/2 = 1/1.
  Scene scene(1, 1, affine_cost(0, 1));
  Blocks blocks = blocks_of({{1.0f}});
  EXPECT_THAT(scene.decide(*dspark_on("hull"), blocks), ElementsAre(0));
}

TEST(Dspark, IsTheGlobalOptimumWhereCostsAreConvex) {
  std::mt19937 coins(21);
  for (int trial = 0; trial < 500; ++trial) {
    const int requests = 1 + static_cast<int>(coins() % 8);
    Scene scene(
        requests, 5,
        affine_cost(1 + static_cast<double>(coins() % 20), 0.01 * static_cast<double>(1 + coins() % 100)));
    Blocks blocks = Blocks::random(coins, requests, 5);
    const int admitted = sum(scene.decide(*dspark_on("staircase"), blocks));
    double best = 0;
    for (int n = 0; n <= candidates(blocks); ++n) best = std::max(best, rate_of(scene, blocks, n));
    ASSERT_NEAR(rate_of(scene, blocks, admitted), best, 1e-6 * best) << "trial " << trial;
  }
}

TEST(Dspark, OnTheHullItIsTheGlobalOptimumOfTheHull) {
  std::mt19937 coins(22);
  for (int trial = 0; trial < 300; ++trial) {
    const int requests = 1 + static_cast<int>(coins() % 8);
    Scene scene(requests, 5, random_staircase(coins, 6 * requests));
    Blocks blocks = Blocks::random(coins, requests, 5);
    const int admitted = sum(scene.decide(*dspark_on("hull"), blocks));
    double best = 0;
    for (int n = 0; n <= candidates(blocks); ++n)
      best = std::max(best, rate_of(scene, blocks, n, CostForm::kHull));
    ASSERT_NEAR(rate_of(scene, blocks, admitted, CostForm::kHull), best, 1e-6 * best) << "trial " << trial;
  }
}

TEST(Dspark, StallsOnARawStaircaseWhereTheHullDoesNot) {
  const StepCost cost = table_cost({{32, 1.0}, {64, 1.05}, {128, 1.1}, {256, 1.5}});
  Blocks blocks(32, 7);
  std::fill(blocks.confidence.begin(), blocks.confidence.end(), 0.9f);
  Scene scene(32, 7, cost);
  EXPECT_EQ(sum(scene.decide(*dspark_on("staircase"), blocks)), 0) << "33/1.05 < 32/1";
  const int admitted = sum(scene.decide(*dspark_on("hull"), blocks));
  EXPECT_GE(admitted, 96);
  EXPECT_GT(rate_of(scene, blocks, admitted), 2 * rate_of(scene, blocks, 0));
  EXPECT_EQ(scene.decide(*policy("dspark"), blocks), scene.decide(*dspark_on("hull"), blocks))
      << "the default";
}

int brute_force_budget(const Step& step, int lag) {
  const EarlierStep earlier = step.earlier(lag);
  std::vector<double> survivals;
  int planned = 0;
  for (std::size_t r = 0; r < step.planned.size(); ++r) {
    planned += step.planned[r];
    const int ones = earlier.requests == 0 || step.request.rounds[r] < lag ? step.planned[r] : 0;
    survivals.insert(survivals.end(), static_cast<std::size_t>(ones), 1.0);
  }
  for (const float s : earlier.survival) survivals.push_back(static_cast<double>(s));
  std::sort(survivals.begin(), survivals.end(), std::greater<>());
  int best = 0;
  for (int n = 1; n <= std::min(planned, static_cast<int>(survivals.size())); ++n) {
    const auto rate = [&](int k) {
      double tokens = step.requests();
      for (int i = 0; i < k; ++i) tokens += survivals[static_cast<std::size_t>(i)];
      return tokens / step.seconds(k);
    };
    if (rate(n) > rate(best)) best = n;
  }
  return best;
}

TEST(DsparkAsync, TheBudgetIsTheBestOfAllOnTheSurvivalsOfAnEarlierStep) {
  std::mt19937 coins(23);
  for (int trial = 0; trial < 200; ++trial) {
    // Now and then more budgets than the search takes at a time.
    const int requests = 1 + static_cast<int>(coins() % (trial % 5 == 0 ? 60 : 6));
    const int lag = 1 + static_cast<int>(coins() % 3);
    auto rule = policy("dspark_async", {}, written(std::to_string(lag)));
    EXPECT_EQ(rule->traits().history, lag);
    Scene scene(requests, 4, random_staircase(coins, 5 * requests));
    for (int step = 0; step < 5; ++step) {
      Blocks blocks = Blocks::random(coins, requests, 4);
      for (float& c : blocks.confidence) c = std::max(c, 0.1f);  // enough candidates for any budget
      scene.plan(*rule);
      const int expected = brute_force_budget(scene.chosen_step(), lag);
      const std::vector<int> verified = scene.decide(*rule, blocks);
      ASSERT_EQ(sum(verified), expected) << "trial " << trial << " step " << step;
      scene.finish(*rule, blocks, verified);
      if (coins() % 2) scene.rounds[0] = 0;  // a newcomer took the row
    }
  }
}

TEST(DsparkAsync, WithoutAnEarlierStepItStillWeighsTheCost) {
  // Everything counts as 1: (2 + n)/T(2 + n) with T(4) = 1 and T(8) = 3 is best at two draft tokens.
  Scene scene(2, 3, table_cost({{4, 1.0}, {8, 3.0}}));
  Blocks blocks = blocks_of({{0.9f, 0.9f, 0.9f}, {0.8f, 0.8f, 0.8f}});
  EXPECT_THAT(scene.decide(*policy("dspark_async"), blocks), ElementsAre(2, 0));
}

TEST(DsparkAsync, GivesTheBudgetToTheMostLikelyOfNow) {
  Scene scene(2, 2, affine_cost(10, 1));
  auto rule = policy("dspark_async", written_map({{"lag", written("1")}}));
  Blocks first = blocks_of({{0.9f, 0.9f}, {0.01f, 0.01f}});
  scene.finish(*rule, first, scene.decide(*rule, first));
  Blocks second = blocks_of({{0.2f, 0.2f}, {0.9f, 0.9f}});
  EXPECT_THAT(scene.decide(*rule, second), ElementsAre(0, 2)) << "two tokens were likely a step ago";
}

}  // namespace
}  // namespace dspark
