// GammaTune (arXiv 2504.00030): it follows a change of acceptance, and its speed depends less on the task
// than that of any fixed length.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/experiments/published_results/sequential_drafter.h"
#include "tests/policies/depth/played_step.h"

namespace dspark {
namespace {

using testing::accepted_of;
using testing::affine_cost;
using testing::observe;
using testing::Scene;
using testing::SequentialDrafter;
using testing::written;

constexpr int kPhase = 50;  // rounds of one acceptance

/// Acceptance changes every `kPhase` rounds between easy and hard text.
double acceptance_of(int round) { return round / kPhase % 2 == 0 ? 0.95 : 0.3; }

struct Phases {
  std::vector<double> mean_k;  // by round since the two phases began, 0..2·kPhase-1
  double tokens_per_time = 0;  // of a step that takes 1 + 0.2·k
};

Phases played(DepthPolicy& rule, int repetitions = 400) {
  Phases phases{.mean_k = std::vector<double>(2 * kPhase, 0)};
  Scene scene(1, 16, affine_cost(1, 1));
  std::mt19937 coins(9);
  double tokens = 0, time = 0;
  for (int round = 0; round < 2 * kPhase * repetitions; ++round) {
    scene.plan(rule);
    const int k = scene.planned[0];
    const int accepted = accepted_of(coins, k, acceptance_of(round));
    observe(rule, scene, {{k}, {accepted}});
    phases.mean_k[static_cast<std::size_t>(round % (2 * kPhase))] += static_cast<double>(k) / repetitions;
    tokens += accepted + 1;
    time += 1 + 0.2 * k;
  }
  phases.tokens_per_time = tokens / time;
  return phases;
}

TEST(GammaTunePublished, TracksAPhaseSwitch) {
  const Phases phases = played(*testing::policy("gamma_tune"));
  // Measured: 6.7 late in the easy phase and 1.6 late in the hard one, 1.4 and 6.0 ten rounds after a switch.
  EXPECT_GT(phases.mean_k[kPhase - 1], 6);
  EXPECT_LT(phases.mean_k[2 * kPhase - 1], 2);
  EXPECT_LT(phases.mean_k[kPhase + 10], 2.5) << "ten rounds after text became hard";
  EXPECT_GT(phases.mean_k[10], 5) << "and ten after it became easy again";
  // Measured: 21 % above the best fixed length, 7.
  for (int k = 1; k <= 16; ++k) {
    const auto fixed = testing::policy("fixed", {}, written(std::to_string(k)));
    EXPECT_GT(phases.tokens_per_time, 1.1 * played(*fixed).tokens_per_time) << k;
  }
}

TEST(GammaTunePublished, SpeedVariesLessOverAMixOfTasksThanAnyFixedLength) {
  std::map<std::string, std::vector<double>> shares;  // of the best fixed length in each task, by policy
  for (const double a : {0.5, 0.65, 0.8, 0.9, 0.96}) {
    std::string survival;
    for (int k = 1; k <= 12; ++k) survival += (k == 1 ? "[" : ", ") + number_text(std::pow(a, k));
    const SequentialDrafter task{.survival = survival + "]", .auc = 0.7, .users = 1, .requests = 200};
    std::map<std::string, double> speed;
    double best = 0;
    for (int k = 1; k <= 10; ++k) {
      const std::string fixed = "fixed:" + std::to_string(k);
      best = std::max(best, speed[fixed] = task.serve(fixed, 1)["user_speed_mean"]);
    }
    speed["gamma_tune"] = task.serve("gamma_tune", 1)["user_speed_mean"];
    for (const auto& [policy, tokens_per_second] : speed) shares[policy].push_back(tokens_per_second / best);
  }
  const auto deviation = [](const std::vector<double>& values) {
    double mean = 0, squares = 0;
    for (const double v : values) mean += v / static_cast<double>(values.size());
    for (const double v : values) squares += (v - mean) * (v - mean);
    return std::sqrt(squares / static_cast<double>(values.size() - 1));
  };
  // Measured: 0.022 against at least 0.066, and never below 0.90 of the best length of a task.
  const double tuned = deviation(shares["gamma_tune"]);
  for (const auto& [policy, by_task] : shares) {
    if (policy == "gamma_tune") continue;
    EXPECT_LT(tuned, 0.5 * deviation(by_task)) << policy;
  }
  for (const double share : shares["gamma_tune"]) EXPECT_GT(share, 0.88);
}

}  // namespace
}  // namespace dspark
