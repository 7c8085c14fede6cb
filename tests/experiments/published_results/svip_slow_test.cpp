// SVIP (arXiv 2411.18462): the draft's entropy gives shorter drafts of higher acceptance than a constant
// length, as far as the entropy says anything about acceptance.
#include <gtest/gtest.h>

#include "tests/experiments/published_results/sequential_drafter.h"

namespace dspark {
namespace {

using testing::SequentialDrafter;

SequentialDrafter one_user(const char* signal_noise) {
  return {.more_acceptance = std::string("signal_noise: ") + signal_noise, .users = 1};
}

/// Accepted length of constant lengths, read at a mean draft length that lies between two of them.
double constant_accepted_length(const SequentialDrafter& scene, double draft_length) {
  const int below = static_cast<int>(draft_length);
  auto lower = scene.serve("fixed:" + std::to_string(below));
  auto upper = scene.serve("fixed:" + std::to_string(below + 1));
  const double share =
      (draft_length - lower["draft_length"]) / (upper["draft_length"] - lower["draft_length"]);
  return lower["accepted_length"] + share * (upper["accepted_length"] - lower["accepted_length"]);
}

double best_constant_speed(const SequentialDrafter& scene) {
  double best = 0;
  for (int k = 1; k <= 10; ++k) {
    best = std::max(best, scene.serve("fixed:" + std::to_string(k))["user_speed_mean"]);
  }
  return best;
}

TEST(SvipPublished, DraftsAreShorterAndAcceptanceIsHigherThanWithAConstantLength) {
  // The authors' constant baseline is 5. Measured: 2.4 tokens and 0.81 against 5.0 and 0.62.
  const SequentialDrafter scene = one_user("0.3");
  auto svip = scene.serve("svip");
  auto constant = scene.serve("fixed:5");
  EXPECT_LT(svip["draft_length"], 0.6 * constant["draft_length"]);
  EXPECT_GT(svip["acceptance_rate"], constant["acceptance_rate"] + 0.1);
}

TEST(SvipPublished, AtTheSameDraftLengthMoreIsAcceptedWhereEntropyIsInformative) {
  // Measured: 4 to 6 % more tokens, and at 0.5 a speed 5 % above that of the best constant length.
  const SequentialDrafter scene = one_user("0.3");
  for (const char* rule : {"svip:0.3", "svip:0.4", "svip:0.5"}) {
    auto svip = scene.serve(rule);
    EXPECT_GT(svip["accepted_length"], 1.04 * constant_accepted_length(scene, svip["draft_length"])) << rule;
  }
  EXPECT_GT(scene.serve("svip:0.5")["user_speed_mean"], 1.03 * best_constant_speed(scene));
}

TEST(SvipPublished, ThereIsNoGainWhereEntropySaysNothing) {
  // Measured: 2 % fewer tokens at the same draft length, and at best 0.82 of the speed.
  const SequentialDrafter scene = one_user("10");
  const double constant = best_constant_speed(scene);
  for (const char* rule : {"svip:0.3", "svip:0.4", "svip:0.5", "svip:0.6"}) {
    auto svip = scene.serve(rule);
    EXPECT_LT(svip["accepted_length"], 1.01 * constant_accepted_length(scene, svip["draft_length"])) << rule;
    EXPECT_LT(svip["user_speed_mean"], 0.9 * constant) << rule;
  }
}

}  // namespace
}  // namespace dspark
