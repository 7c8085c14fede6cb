// SpecDec++ (arXiv 2405.19715): in the plane of target passes per token and discarded drafts per token, the
// curve of its threshold lies below all constant lengths where acceptance varies, and on them where it does
// not.
#include <gtest/gtest.h>

#include "tests/experiments/published_results/sequential_drafter.h"

namespace dspark {
namespace {

using testing::SequentialDrafter;

struct Point {
  double discards = 0;  // per output token
  double passes = 0;    // of the target per output token
};

Point served(const SequentialDrafter& scene, const std::string& policy) {
  auto metrics = scene.serve(policy);
  return {metrics["wasted_per_output_token"], 1 / metrics["accepted_length"]};
}

/// Constant length against the threshold's curve at the same discards per token: passes saved, as a share.
std::map<int, double> passes_saved(const SequentialDrafter& scene) {
  std::vector<Point> curve;
  for (const char* h : {"0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9"}) {
    curve.push_back(served(scene, std::string("spec_dec_plus_plus:") + h));
  }
  std::map<int, double> saved;
  for (const int k : {3, 4, 5, 6, 7, 8, 10}) {
    const Point constant = served(scene, "fixed:" + std::to_string(k));
    for (std::size_t i = 1; i < curve.size(); ++i) {
      if (constant.discards < curve[i - 1].discards || constant.discards > curve[i].discards) continue;
      const double share = (constant.discards - curve[i - 1].discards) /
                           std::max(1e-9, curve[i].discards - curve[i - 1].discards);
      saved[k] =
          1 - (curve[i - 1].passes + share * (curve[i].passes - curve[i - 1].passes)) / constant.passes;
    }
  }
  return saved;
}

TEST(SpecDecPlusPlusPublished, TheThresholdDominatesEveryFixedLengthWhereAcceptanceVaries) {
  // Measured: 8 to 15 % fewer passes of the target at the same discards.
  const SequentialDrafter scene{
      .survival =
          "[0.80, 0.66, 0.56, 0.48, 0.41, 0.35, 0.30, 0.26, 0.22, 0.19, 0.165, 0.143, 0.124, 0.107, "
          "0.093, 0.08, 0.07, 0.061, 0.053, 0.046]",
      .users = 1};
  const auto saved = passes_saved(scene);
  EXPECT_EQ(saved.size(), 7u) << "the sweep covers every constant length";
  for (const auto& [k, share] : saved) EXPECT_GT(share, 0.05) << k;
}

TEST(SpecDecPlusPlusPublished, TheThresholdCollapsesOntoTheFixedLengthsWhereAcceptanceIsTheSameEverywhere) {
  const SequentialDrafter scene{
      .survival =
          "[0.8, 0.64, 0.512, 0.4096, 0.32768, 0.26214, 0.20972, 0.16777, 0.13422, 0.10737, 0.0859, "
          "0.06872, 0.05498, 0.04398, 0.03518, 0.02815, 0.02252, 0.01801, 0.01441, 0.01153]",
      .auc = 0.52,
      .users = 1};
  // Measured: within 0.6 %.
  const auto saved = passes_saved(scene);
  EXPECT_EQ(saved.size(), 7u);
  for (const auto& [k, share] : saved) EXPECT_NEAR(share, 0, 0.015) << k;
}

TEST(SpecDecPlusPlusPublished, ItIsFasterThanTheBestFixedLength) {
  // Published gains over the best fixed length: 7 to 11 %. Measured here: 5 % at h = 0.3, 7 % at 0.5.
  const SequentialDrafter scene{.users = 1};
  double constant = 0;
  for (int k = 1; k <= 10; ++k) {
    constant = std::max(constant, scene.serve("fixed:" + std::to_string(k))["user_speed_mean"]);
  }
  EXPECT_GT(scene.serve("spec_dec_plus_plus")["user_speed_mean"], 1.03 * constant);
}

}  // namespace
}  // namespace dspark
