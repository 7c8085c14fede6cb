#include "sim/acceptance/position_effects.h"

#include <gtest/gtest.h>

#include "tests/sim/acceptance/back_to_back_rounds.h"

namespace dspark {
namespace {

TEST(PositionEffects, OutcomesAgreeWithTheSolvedProbabilities) {
  const std::vector<double> table = {0.85, 0.5, 0.3, 0.2};
  const LatentSpread spread{.between_request_share = 0.05};
  const auto solved = solve_position_effects(table, 0.8, spread);
  ASSERT_TRUE(solved);
  const Survival survival = replay_back_to_back(*solved, spread, {77, 78}, 6000);
  EXPECT_LT(distance_from(table, survival), 4);
  EXPECT_GT(distance_from({0.85, 0.52, 0.3, 0.2}, survival), 4) << "a wrong table passes";
}

TEST(PositionEffects, DeepRoundsStartInHarderTextThanShallowOnes) {
  const auto solved =
      solve_position_effects(std::vector<double>{0.8, 0.5, 0.3, 0.2}, 0.85, {.text_share = 0.6});
  ASSERT_TRUE(solved);
  EXPECT_GT(accepted_length_at_depth(solved->latent, {.text_share = 0.6}, 1), 1.81);
  EXPECT_NEAR(accepted_length_at_depth(solved->latent, {.text_share = 0.6}, 4), 2.8, 0.0005);
}

TEST(PositionEffects, AnAucThatTheTableCannotShowIsAnError) {
  // All but certain acceptance: survival hardly differs from round to round, whatever the spread.
  const auto solved = solve_position_effects(std::vector<double>{0.9999, 0.9998}, 0.55, {});
  ASSERT_FALSE(solved);
  EXPECT_NE(to_string(solved.error()).find("auc 0.55"), std::string::npos);
}

}  // namespace
}  // namespace dspark
