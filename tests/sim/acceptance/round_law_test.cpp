#include "sim/acceptance/round_law.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "policies/elementary.h"

namespace dspark {
namespace {

const DomainLatent kLatent = {{0.7, 0.3, 0.4, 0.6, 0.5, 0.5, 0.4}, 2.0};

/// Mean of `value` over a standard normal variable: midpoints of equal probability, good to 1e-6 here.
double mean_over_normal(const std::function<double(double)>& value) {
  constexpr int kPoints = 20'000;
  double sum = 0;
  for (int i = 0; i < kPoints; ++i) sum += value(normal_quantile((i + 0.5) / kPoints));
  return sum / kPoints;
}

double acceptance(const DomainLatent& latent, std::size_t k, double field) {
  return 1 / (1 + std::exp(-latent.position_effects[k] - latent.deviation * field));
}

RoundLaw settled(const DomainLatent& latent, const LatentSpread& spread, std::size_t depth,
                 double fineness = 1) {
  RoundLaw law(spread, depth, fineness);
  law.settle(latent);
  return law;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double most = 0;
  for (std::size_t k = 0; k < a.size(); ++k) most = std::max(most, std::abs(a[k] - b[k]));
  return most;
}

/// Rounds of requests that differ by `field`, the same all along the text: those of one request are
/// independent, and it has as many as its accepted length leaves room for.
std::vector<double> survival_of_constant_text(const DomainLatent& latent, double scale) {
  const auto survival_at = [&](double field, std::size_t k) {
    double product = 1;
    for (std::size_t i = 0; i < k; ++i) product *= acceptance(latent, i, field);
    return product;
  };
  const auto rounds_per_token = [&](double field) {
    double tokens = 0;
    for (std::size_t k = 0; k <= latent.position_effects.size(); ++k) tokens += survival_at(field, k);
    return 1 / tokens;
  };
  const double rounds = mean_over_normal([&](double x) { return rounds_per_token(scale * x); });
  std::vector<double> survival;
  for (std::size_t k = 1; k <= latent.position_effects.size(); ++k) {
    survival.push_back(
        mean_over_normal([&](double x) { return rounds_per_token(scale * x) * survival_at(scale * x, k); }) /
        rounds);
  }
  return survival;
}

TEST(RoundLaw, WithoutSpreadSurvivalIsTheProductOfMeanAcceptances) {
  for (const double deviation : {0.01, 1.0, 4.0}) {
    const DomainLatent latent = {kLatent.position_effects, deviation};
    std::vector<double> wanted;
    double product = 1;
    for (std::size_t k = 0; k < 7; ++k) {
      wanted.push_back(product *= mean_over_normal([&](double x) { return acceptance(latent, k, x); }));
    }
    EXPECT_LT(largest_difference(settled(latent, {0, 0, 8}, 7).survival(), wanted), 1e-4) << deviation;
  }
}

TEST(RoundLaw, RequestsThatDifferHaveRoundsInInverseProportionToTheirAcceptedLength) {
  const LatentSpread spread{1, 0, 8};
  const RoundLaw law = settled(kLatent, spread, 7);
  EXPECT_LT(largest_difference(law.survival(), survival_of_constant_text(kLatent, 1)), 2e-4);
  std::vector<double> equal_requests;
  for (std::size_t k = 0; k < 7; ++k) {
    equal_requests.push_back(mean_over_normal([&](double x) {
      double product = 1;
      for (std::size_t i = 0; i <= k; ++i) product *= acceptance(kLatent, i, x);
      return product;
    }));
  }
  EXPECT_GT(largest_difference(law.survival(), equal_requests), 0.05) << "requests instead of tokens weigh";
}

TEST(RoundLaw, OfOneRequestIsThatOfItsOwnAcceptance) {
  const RoundLaw law = settled(kLatent, {1, 0, 8}, 7);
  double mean = 0, squares = 0;
  for (const RoundLaw::OfRequest& request : law.by_request()) {
    mean += request.weight * request.first_accepted;
    squares += request.weight * request.first_accepted * request.first_accepted;
    EXPECT_NEAR(request.first_accepted_twice, request.first_accepted * request.first_accepted, 1e-4);
  }
  EXPECT_NEAR(mean, mean_over_normal([](double x) { return acceptance(kLatent, 0, x); }), 1e-4);
  EXPECT_NEAR(squares, mean_over_normal([](double x) { return std::pow(acceptance(kLatent, 0, x), 2); }),
              1e-4);
}

TEST(RoundLaw, OfTextThatHardlyChangesIsThatOfConstantText) {
  for (const int distance : {64, 4096}) {
    const RoundLaw law = settled(kLatent, {0.2, 0.8, distance}, 7);
    EXPECT_LT(largest_difference(law.survival(), survival_of_constant_text(kLatent, 1)), 3e-4) << distance;
    EXPECT_LE(law.phases(), 64u) << "at bounded cost";
  }
  const DomainLatent long_block = {std::vector<double>(64, 3.0), 2.0};
  const RoundLaw law = settled(long_block, {0.2, 0.8, 4096}, 64);
  EXPECT_LT(largest_difference(law.survival(), survival_of_constant_text(long_block, 1)), 2e-3);
  const RoundLaw fast = settled(kLatent, {0.2, 0.8, 8}, 7);
  EXPECT_GT(largest_difference(fast.survival(), survival_of_constant_text(kLatent, 1)), 2e-3);
}

TEST(RoundLaw, RoundsOfOneDraftTakeOneOrTwoTokens) {
  // As many tokens as there are: starts · (1 + survival) = 1 for every request and both knots, so on average.
  const RoundLaw law = settled(kLatent, {0.1, 0.4, 8}, 1);
  EXPECT_NEAR(law.accepted_length(), 1 + law.survival()[0], 1e-12);
  const RoundLaw certain = settled({{40.0, 40.0, 40.0}, 0.1}, {0.1, 0.4, 8}, 3);
  EXPECT_NEAR(certain.accepted_length(), 4, 1e-5);
  EXPECT_NEAR(certain.starts(3, 0.4, -1.2, 0.7), 0.25, 1e-5) << "a bonus token behind three drafts";
  const RoundLaw never = settled({{-40.0, 0.0}, 0.1}, {0.1, 0.4, 8}, 2);
  EXPECT_NEAR(never.starts(3, 0.4, -1.2, 0.7), 1, 1e-5);
}

TEST(RoundLaw, MoreNodesChangeLittle) {
  for (const double deviation : {0.4, 1.5, 3.0, 4.5}) {
    for (const LatentSpread& spread : {LatentSpread{}, {0.3, 0.6, 8}, {0.1, 0.5, 1}, {0, 0.9, 3}}) {
      const DomainLatent latent = {kLatent.position_effects, deviation};
      const RoundLaw law = settled(latent, spread, 7), finer = settled(latent, spread, 7, 1.7);
      EXPECT_LT(largest_difference(law.survival(), finer.survival()), 2e-4) << deviation;
      const RoundLaw coarser = settled(latent, spread, 7, 0.4);
      if (deviation > 1) {
        EXPECT_GT(largest_difference(law.survival(), coarser.survival()), 2e-4);
      }
    }
  }
}

TEST(RoundLaw, DoesNotDependOnTheLawBefore) {
  const RoundLaw fresh = settled(kLatent, {}, 7);
  RoundLaw moved = settled({{2, 2, 2, 2, 2, 2, 2}, 2.0}, {}, 7);
  moved.settle(kLatent);
  EXPECT_LT(largest_difference(fresh.survival(), moved.survival()), 5e-5);
}

}  // namespace
}  // namespace dspark
