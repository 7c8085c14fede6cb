#include "sim/acceptance/position_effects.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sim/acceptance/survival_presets.h"
#include "tests/sim/acceptance/batch_rows.h"

namespace dspark {
namespace {

/// Survival by position from outcomes (not probabilities) of back-to-back rounds at depth γ, with coins of
/// its own.
std::vector<double> replay(const SolvedDomain& solved, const LatentSpread& spread, double& rounds) {
  constexpr std::size_t kRequests = 6000;
  const LatentAcceptance model({solved.latent}, spread, {}, 0);
  const auto depth = solved.latent.position_effects.size();
  std::vector<double> survival(depth);
  BatchRows rows(kRequests);
  DraftedBlocks blocks;
  for (int round = 0; round < 88; ++round) {
    model.draw({77, 78}, rows.rows(), static_cast<int>(depth), kConfidenceOnly, blocks);
    for (std::size_t r = 0; r < kRequests; ++r) {
      const bool counted = rows.anchor[r] >= 24 && rows.anchor[r] < 88;
      rows.anchor[r] += blocks.accepted[r] + 1;
      if (!counted) continue;
      rounds += 1;
      for (int k = 0; k < blocks.accepted[r]; ++k) survival[static_cast<std::size_t>(k)] += 1;
    }
  }
  for (double& s : survival) s /= rounds;
  return survival;
}

TEST(PositionEffects, SurvivalOfBackToBackRoundsMeetsThePublishedTables) {
  for (const char* name : {"qwen3-4b/dspark/math", "qwen3-4b/dspark/chat", "qwen3-4b/eagle3/chat"}) {
    std::vector<double> table;
    for (const SurvivalPreset& preset : survival_presets()) {
      if (preset.name == name) table = survival_of(preset.conditional);
    }
    ASSERT_EQ(table.size(), 7u);
    const auto solved = solve_position_effects(table, 0.82, {});
    ASSERT_TRUE(solved) << to_string(solved.error());
    EXPECT_NEAR(solved->auc, 0.82, 0.001);
    for (std::size_t k = 0; k < 7; ++k)
      EXPECT_NEAR(solved->survival[k], table[k], 5e-4) << name << " position " << k + 1;
  }
}

TEST(PositionEffects, OutcomesAgreeWithTheSolvedProbabilities) {
  const std::vector<double> table = {0.85, 0.5, 0.3, 0.2};
  const LatentSpread spread{.between_request_share = 0.05};
  const auto solved = solve_position_effects(table, 0.8, spread);
  ASSERT_TRUE(solved);
  // Four standard errors, doubled for the correlation of a request's rounds.
  double rounds = 0;
  const auto survival = replay(*solved, spread, rounds);
  for (std::size_t k = 0; k < table.size(); ++k)
    EXPECT_NEAR(survival[k], table[k], 8 * 0.5 / std::sqrt(rounds)) << k + 1;
  EXPECT_GT(rounds, 100000);
}

TEST(PositionEffects, DeepRoundsStartInHarderTextThanShallowOnes) {
  const auto solved =
      solve_position_effects(std::vector<double>{0.8, 0.5, 0.3, 0.2}, 0.85, {.text_share = 0.6});
  ASSERT_TRUE(solved);
  EXPECT_GT(accepted_length_at_depth(solved->latent, {.text_share = 0.6}, 1), 1.81);
  EXPECT_NEAR(accepted_length_at_depth(solved->latent, {.text_share = 0.6}, 4), 2.8, 0.005);
}

TEST(PositionEffects, AnAucThatTheTableCannotShowIsAnError) {
  // All but certain acceptance: survival hardly differs from round to round, whatever the spread.
  const auto solved = solve_position_effects(std::vector<double>{0.9999, 0.9998}, 0.55, {});
  ASSERT_FALSE(solved);
  EXPECT_NE(to_string(solved.error()).find("auc 0.55"), std::string::npos);
}

}  // namespace
}  // namespace dspark
