#include "executor/model/rope_frequencies.h"

#include <gmock/gmock.h>

#include <cmath>
#include <numbers>

namespace dspark {
namespace {

TEST(RopeFrequencies, WithoutScalingArePowersOfTheta) {
  const RopeFrequencies rope = rope_frequencies(Rope{.theta = 1e4}, 8);
  ASSERT_EQ(rope.inverse.size(), 4u);
  EXPECT_EQ(rope.scale, 1);
  for (std::size_t pair = 0; pair < 4; ++pair)
    EXPECT_NEAR(rope.inverse[pair], std::pow(0.1, static_cast<double>(pair)), 1e-7);
}

TEST(RopeFrequencies, LinearScalingDividesAll) {
  const Rope rope{.theta = 100, .scaling = Rope::Scaling::kLinear, .factor = 4};
  EXPECT_NEAR(rope_frequencies(rope, 4).inverse[0], 0.25, 1e-7);
  EXPECT_NEAR(rope_frequencies(rope, 4).inverse[1], 0.025, 1e-8);
}

TEST(RopeFrequencies, Llama3DividesLongWavesKeepsShortOnesAndMixesThoseBetween) {
  const Rope rope{.theta = 1e4,
                  .scaling = Rope::Scaling::kLlama3,
                  .factor = 8,
                  .low_frequency = 1,
                  .high_frequency = 4,
                  .trained_positions = 64};
  const auto inverse = rope_frequencies(rope, 8).inverse;  // 10.2, 1.02, 0.1 and 0.01 waves in 64 positions
  EXPECT_NEAR(inverse[0], 1, 1e-7);
  const double waves = 64 * 0.1 / (2 * std::numbers::pi);
  const double smooth = (waves - 1) / 3;
  EXPECT_NEAR(inverse[1], 0.1 * (smooth + (1 - smooth) / 8), 1e-7);
  EXPECT_NEAR(inverse[2], 0.01 / 8, 1e-8);
  EXPECT_NEAR(inverse[3], 0.001 / 8, 1e-9);
}

TEST(RopeFrequencies, YarnRampsFromTheFastPairsToTheSlowAndScalesCosineAndSine) {
  Rope rope{.theta = 1e4,
            .scaling = Rope::Scaling::kYarn,
            .factor = 4,
            .beta_fast = 8,
            .beta_slow = 1,
            .trained_positions = 64};
  // Pair x turns 64/2π · 1e4^(-x/4) times: 8 times at x = 0.1 (rounded down to 0), once at 1.008 (up to 2).
  const RopeFrequencies yarn = rope_frequencies(rope, 8);
  EXPECT_NEAR(yarn.inverse[0], 1, 1e-7);
  EXPECT_NEAR(yarn.inverse[1], 0.1 * (0.5 + 0.5 / 4), 1e-7);
  EXPECT_NEAR(yarn.inverse[2], 0.01 / 4, 1e-8);
  EXPECT_NEAR(yarn.inverse[3], 0.001 / 4, 1e-9);
  EXPECT_NEAR(yarn.scale, 0.1 * std::log(4.0) + 1, 1e-7);
  rope.attention_factor = 1.25;
  EXPECT_EQ(rope_frequencies(rope, 8).scale, 1.25F);
}

TEST(RopeFrequencies, ProportionalTurnsTheFirstPairsByExponentsOfTheWholeHead) {
  const Rope rope{.theta = 1e4, .scaling = Rope::Scaling::kProportional, .partial = 0.5};
  const auto inverse = rope_frequencies(rope, 8).inverse;
  EXPECT_NEAR(inverse[0], 1, 1e-7);
  EXPECT_NEAR(inverse[1], 0.1, 1e-7);
  EXPECT_EQ(inverse[2], 0);
  EXPECT_EQ(inverse[3], 0);
}

}  // namespace
}  // namespace dspark
