// Hugging Face's schedule as the Markov chain that it is when every token is accepted with the same
// probability a: from k to k + 2 with probability a^k, else to max(1, k - 1). Its stationary mean is held by
// tests/sim/theory/length_chains_test.cpp.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "tests/experiments/published_results/sequential_drafter.h"
#include "tests/policies/depth/played_step.h"

namespace dspark {
namespace {

using testing::accepted_of;
using testing::affine_cost;
using testing::observe;
using testing::Scene;
using testing::SequentialDrafter;

constexpr int kLongest = 64;  // the drafter's block; k is next to never there

/// k of every round that the policy plays.
std::vector<int> played(double a, int rounds) {
  const auto rule = testing::policy("hugging_face_heuristic");
  Scene scene(1, kLongest, affine_cost(1, 1));
  std::mt19937 coins(5);
  std::vector<int> lengths;
  for (int round = 0; round < rounds; ++round) {
    scene.plan(*rule);
    const int k = scene.planned[0];
    lengths.push_back(k);
    observe(*rule, scene, {{k}, {accepted_of(coins, k, a)}});
  }
  return lengths;
}

TEST(HuggingFaceHeuristicPublished, TheDriftVanishesWhereAllIsAcceptedOnceInThree) {
  // Mean change at k > 1: 2·a^k - (1 - a^k) = 3·a^k - 1, which is 0 at k = ln 3/-ln a: 4.9 at 0.8.
  constexpr double kAcceptance = 0.8;
  const auto lengths = played(kAcceptance, 200'000);
  std::map<int, std::pair<double, double>> change;  // by k: visits, sum
  for (std::size_t i = 1; i < lengths.size(); ++i) {
    change[lengths[i - 1]].first += 1;
    change[lengths[i - 1]].second += lengths[i] - lengths[i - 1];
  }
  int compared = 0;
  for (const auto& [k, seen] : change) {
    const auto& [visits, sum] = seen;
    if (k == 1 || visits < 1000) continue;
    const double all = std::pow(kAcceptance, k);
    EXPECT_NEAR(sum / visits, 3 * all - 1, 4 * 3 * std::sqrt(all * (1 - all) / visits)) << k;
    ++compared;
  }
  EXPECT_GE(compared, 8);
  EXPECT_NEAR(std::log(3) / -std::log(0.8), 4.9, 0.05);
  EXPECT_NEAR(std::log(3) / -std::log(0.9), 10.4, 0.05);
  EXPECT_GT(change[4].second, 0);
  EXPECT_LT(change[6].second, 0);
}

TEST(HuggingFaceHeuristicPublished, AThresholdBeatsAFixedTwentyWhenDraftingCosts) {
  const std::string fixed = "{hugging_face_heuristic: {num_assistant_tokens: 20, schedule: constant}}";
  const std::string stopped =
      "{hugging_face_heuristic: {num_assistant_tokens: 20, schedule: constant, "
      "assistant_confidence_threshold: 0.4}}";
  // Measured: 1.53 times as fast with a draft step of a tenth of the target's, 0.99 times with a free one.
  SequentialDrafter scene{
      .survival =
          "[0.80, 0.66, 0.56, 0.48, 0.41, 0.35, 0.30, 0.26, 0.22, 0.19, 0.165, 0.143, 0.124, 0.107, "
          "0.093, 0.08, 0.07, 0.061, 0.053, 0.046]",
      .users = 1};
  EXPECT_GT(scene.serve(stopped)["user_speed_mean"], 1.3 * scene.serve(fixed)["user_speed_mean"]);
  scene.draft_ms = 0.01;
  scene.row_ms = 0.01;
  EXPECT_LT(scene.serve(stopped)["user_speed_mean"], scene.serve(fixed)["user_speed_mean"]);
}

}  // namespace
}  // namespace dspark
