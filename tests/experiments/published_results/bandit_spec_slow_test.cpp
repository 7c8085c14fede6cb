// BanditSpec (arXiv 2505.15141): the regret of its upper confidence bound grows sublinearly; the released
// code's bonus is the same for every arm, so it locks on a wrong arm for some seeds.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/experiments/published_results/sequential_drafter.h"
#include "tests/policies/depth/played_step.h"

namespace dspark {
namespace {

using testing::accepted_of;
using testing::affine_cost;
using testing::observe;
using testing::PlayedStep;
using testing::Scene;
using testing::SequentialDrafter;
using testing::written;
using testing::written_map;

constexpr double kAcceptance = 0.8;

double seconds(int k) { return 1 + 0.1 * k; }
/// Expected speed-up over no drafts: 1, 1.64, 2.03, 2.27, 2.40 for k = 0..4.
double expected_reward(int k) { return (1 - std::pow(kAcceptance, k + 1)) / (1 - kAcceptance) / seconds(k); }
constexpr int kBest = 4;

/// k of each round.
std::vector<int> played(DepthPolicy& rule, unsigned seed, int rounds) {
  Scene scene(1, 8, affine_cost(0.9, 0.1));  // believes `seconds`
  std::mt19937 coins(seed);
  std::vector<int> arms;
  PlayedStep step{.drafted = {0}, .accepted = {0}};
  for (int round = 0; round < rounds; ++round) {
    scene.plan(rule);
    const int k = scene.planned[0];
    arms.push_back(k);
    step.drafted[0] = k;
    step.accepted[0] = accepted_of(coins, k, kAcceptance);
    step.seconds = seconds(k);
    observe(rule, scene, step);
  }
  return arms;
}

double regret(const std::vector<int>& arms, std::size_t rounds) {
  double sum = 0;
  for (std::size_t i = 0; i < rounds; ++i) sum += expected_reward(kBest) - expected_reward(arms[i]);
  return sum;
}

bool locked_on_a_wrong_arm(const std::vector<int>& arms) {
  const auto end = arms.end() - 1000;
  return arms.back() != kBest && std::all_of(end, arms.end(), [&](int k) { return k == arms.back(); });
}

TEST(BanditSpecPublished, TheRegretOfThePaperFormGrowsSublinearly) {
  double at_quarter = 0, at_end = 0;
  for (const unsigned seed : {1u, 2u, 3u}) {
    const auto rule = testing::policy("bandit_spec");
    const auto arms = played(*rule, seed, 200'000);
    at_quarter += regret(arms, 50'000);
    at_end += regret(arms, 200'000);
  }
  // Measured: 1.5 times the regret after four times the rounds.
  EXPECT_LT(at_end, 2 * at_quarter) << "slower than the square root of the rounds";
}

TEST(BanditSpecPublished, TheReleasedFormLocksOnAWrongArmForSomeSeeds) {
  constexpr int kSeeds = 100;
  int released = 0, paper = 0;
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    const auto greedy = testing::policy("bandit_spec", written_map({{"form", written("released")}}));
    released += locked_on_a_wrong_arm(played(*greedy, seed, 3000));
    const auto bounded = testing::policy("bandit_spec");
    paper += locked_on_a_wrong_arm(played(*bounded, seed, 3000));
  }
  // Measured: 68 seeds, nearly all on k = 2 or 3; after a bad first draw k = 4 is never played again.
  EXPECT_GT(released, kSeeds / 2);
  EXPECT_LT(released, kSeeds * 9 / 10) << "and finds the best one for others";
  EXPECT_EQ(paper, 0);
}

TEST(BanditSpecPublished, SpeedComesCloseToThatOfTheBestArm) {
  const SequentialDrafter scene{.requests = 1500};
  double best = 0;
  for (int k = 1; k <= 4; ++k) {
    best = std::max(best, scene.serve("fixed:" + std::to_string(k), 1)["throughput"]);
  }
  // Measured: 98.8 %.
  const double reached = scene.serve("bandit_spec", 1)["throughput"];
  EXPECT_GT(reached, 0.95 * best);
  EXPECT_LT(reached, best) << "it pays for exploring";
}

}  // namespace
}  // namespace dspark
