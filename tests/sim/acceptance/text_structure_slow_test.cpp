#include <gtest/gtest.h>

#include <cmath>

#include "sim/acceptance/survival_presets.h"
#include "sim/acceptance/text_structure.h"
#include "tests/sim/acceptance/batch_rows.h"

namespace dspark {
namespace {

/// What a recorder would measure of rounds with other coins: outcomes, binomial noise removed.
TextStructure measured_from_outcomes(const SolvedStructure& solved, int depth) {
  constexpr std::size_t kRequests = 6000;
  constexpr int kRounds = 60;
  const LatentAcceptance model({solved.domain.latent}, solved.spread, {}, 0);
  BatchRows batch(kRequests);
  std::vector<double> accepted(kRequests, 0), before(kRequests, 0);
  double all = 0, pairs = 0, both = 0;
  DraftedBlocks blocks;
  for (int round = 0; round < kRounds; ++round) {
    model.draw({99, 100}, batch.rows(), depth, kConfidenceOnly, blocks);
    for (std::size_t r = 0; r < kRequests; ++r) {
      const double first = blocks.accepted[r] > 0;
      accepted[r] += first;
      all += first;
      if (round > 0) {
        both += first * before[r];
        pairs += 1;
      }
      before[r] = first;
      batch.anchor[r] += blocks.accepted[r] + 1;
    }
  }
  const double p = all / (kRequests * kRounds);
  double variance = 0;
  for (const double count : accepted) variance += (count / kRounds - p) * (count / kRounds - p) / kRequests;
  const double noise = p * (1 - p) / kRounds;
  return {std::sqrt(std::max(0.0, variance - noise)), (both / pairs - p * p) / (p * (1 - p))};
}

TEST(TextStructure, RoundsOfTheSolutionShowTheMeasuredSpreadAndCorrelation) {
  for (const SurvivalPreset& preset : survival_presets()) {
    if (!preset.structure || preset.name.find("/eagle/") == std::string::npos) continue;
    if (preset.name.ends_with("instructcoder")) continue;  // below
    const auto solved = solve_text_structure(survival_of(preset.conditional), 0.85, *preset.structure, 8);
    ASSERT_TRUE(solved) << preset.name;
    EXPECT_NEAR(solved->reached.between_request_sd, preset.structure->between_request_sd, 0.0015)
        << preset.name;
    EXPECT_NEAR(solved->reached.round_correlation, preset.structure->round_correlation, 0.0015)
        << preset.name;
    const TextStructure again = measured_from_outcomes(*solved, 7);
    // Rounds that correlate leave more noise in a request's mean than independent ones: the spread reads
    // high.
    EXPECT_NEAR(again.between_request_sd, preset.structure->between_request_sd, 0.03) << preset.name;
    EXPECT_NEAR(again.round_correlation, preset.structure->round_correlation, 0.015) << preset.name;
    const std::vector<double>& conditional = preset.conditional;
    for (std::size_t k = 1; k < conditional.size(); ++k) {
      EXPECT_NEAR(solved->domain.survival[k] / solved->domain.survival[k - 1], conditional[k], 0.005)
          << preset.name << " rises with position where text does: " << k + 1;
    }
  }
}

TEST(TextStructure, WhatTheLatentCannotShowLeavesAResidual) {
  for (const SurvivalPreset& preset : survival_presets()) {
    if (preset.name != "llama31-8b/eagle/instructcoder" && preset.name != "llama31-8b/ngram/sharegpt")
      continue;
    const auto solved = solve_text_structure(survival_of(preset.conditional), 0.85, *preset.structure, 8);
    ASSERT_TRUE(solved) << preset.name;
    EXPECT_NEAR(solved->reached.between_request_sd, preset.structure->between_request_sd, 0.0015)
        << preset.name;
    EXPECT_LT(solved->reached.round_correlation, preset.structure->round_correlation - 0.02) << preset.name;
    EXPECT_GT(solved->spread.between_request_share + solved->spread.text_share, 0.97)
        << "all that can be is shared";
  }
}

}  // namespace
}  // namespace dspark
