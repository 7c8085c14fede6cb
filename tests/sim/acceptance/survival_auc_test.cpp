#include "sim/acceptance/survival_auc.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "policies/elementary.h"

namespace dspark {
namespace {

/// Of one position whose acceptance is logistic(effect + deviation·N): pairs of quantiles, each both ways
/// round.
double auc_of_one_position(double effect, double deviation) {
  constexpr int kPoints = 20'000;
  double below = 0, ordered = 0, positive = 0;
  for (int i = 0; i < kPoints; ++i) {
    const double p = 1 / (1 + std::exp(-effect - deviation * normal_quantile((i + 0.5) / kPoints)));
    ordered += p * (below + 0.5 * (1 - p));
    below += 1 - p;
    positive += p;
  }
  return ordered / (positive * below);
}

double auc_of(const DomainLatent& latent, const LatentSpread& spread, std::size_t positions) {
  RoundLaw law(spread, latent.position_effects.size());
  law.settle(latent);
  return SurvivalAuc(law).of(latent, law, positions);
}

TEST(SurvivalAuc, OfOnePositionIsThatOfItsAcceptance) {
  for (const double effect : {-2.0, 0.5, 3.0}) {
    for (const double deviation : {0.5, 1.5, 4.0}) {
      // Rounds of independent drafts all look alike; at depth 1 the latent is one normal variable.
      EXPECT_NEAR(auc_of({{effect}, deviation}, {0, 0, 8}, 1), auc_of_one_position(effect, deviation), 1e-3)
          << effect << " " << deviation;
    }
  }
  EXPECT_GT(std::abs(auc_of_one_position(0.5, 1.5) - auc_of_one_position(0.5, 1.52)), 1e-3)
      << "a deviation that is off by 0.02 is seen";
}

TEST(SurvivalAuc, HardTextHoldsMoreRoundsThanItsShare) {
  // With drafts that all but follow the text, position 1 is that of starts weighed by 1 / (1 + p).
  constexpr int kPoints = 20'000;
  double below = 0, ordered = 0, positive = 0;
  for (int i = 0; i < kPoints; ++i) {
    const double p = 1 / (1 + std::exp(-0.5 - 2 * normal_quantile((i + 0.5) / kPoints))),
                 weight = 1 / (1 + p);
    ordered += weight * p * (below + 0.5 * weight * (1 - p));
    below += weight * (1 - p);
    positive += weight * p;
  }
  EXPECT_NEAR(auc_of({{0.5}, 2}, {1, 0, 8}, 1), ordered / (positive * below), 1e-3);
  EXPECT_GT(std::abs(auc_of_one_position(0.5, 2) - ordered / (positive * below)), 2e-3) << "weights are seen";
}

TEST(SurvivalAuc, OfNothingIsAHalf) { EXPECT_EQ(auc_of({{0.5, 0.5}, 2}, {}, 0), 0.5); }

}  // namespace
}  // namespace dspark
