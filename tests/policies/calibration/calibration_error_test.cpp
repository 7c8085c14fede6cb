#include "policies/calibration/calibration_error.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/policies/calibration/synthetic_rounds.h"

namespace dspark {
namespace {

using Predictions = std::vector<double>;
using Labels = std::vector<std::uint8_t>;

TEST(ReliabilityCurve, BinsAreEqualWidthAndOnlyThoseWithPairs) {
  const Predictions p{0.0, 0.04, 0.05, 0.999, 1.0, 0.5};
  const auto curve = reliability_curve(p, Labels{0, 1, 1, 1, 0, 1});
  ASSERT_EQ(curve.size(), 4u);
  EXPECT_EQ(curve[0].bin, 0);
  EXPECT_EQ(curve[0].count, 2);
  EXPECT_DOUBLE_EQ(curve[0].prediction, 0.02);
  EXPECT_DOUBLE_EQ(curve[0].frequency, 0.5);
  EXPECT_EQ(curve[1].bin, 1);
  EXPECT_EQ(curve[2].bin, 10);
  EXPECT_EQ(curve[3].bin, 19);
  EXPECT_EQ(curve[3].count, 2);  // 1 is in the last bin
  EXPECT_TRUE(reliability_curve(Predictions{}, Labels{}).empty());
  EXPECT_EQ(reliability_curve(p, Labels{0, 1, 1, 1, 0, 1}, 1).front().count, 6);
}

TEST(ReliabilityCurve, WilsonIntervalIsTheRootOfTheScoreTest) {
  constexpr double kZ = 1.959963984540054;
  for (const auto& [successes, count] : {std::pair{0, 10}, {3, 10}, {10, 10}, {812, 1000}}) {
    const WilsonInterval interval = wilson_interval(successes, count);
    const double share = static_cast<double>(successes) / count;
    for (const double p : {interval.low, interval.high}) {
      if (p == 0 || p == 1) continue;
      EXPECT_NEAR(std::abs(share - p), kZ * std::sqrt(p * (1 - p) / count), 1e-12);
    }
    EXPECT_LE(interval.low, share);
    EXPECT_GE(interval.high, share);
  }
  EXPECT_EQ(wilson_interval(0, 10).low, 0);
  EXPECT_EQ(wilson_interval(10, 10).high, 1);
}

TEST(CalibrationError, IsTheWeightedGap) {
  const Predictions p{0.1, 0.1, 0.1, 0.9};
  const auto curve = reliability_curve(p, Labels{0, 0, 1, 1});
  EXPECT_NEAR(expected_calibration_error(curve), 0.75 * (1.0 / 3 - 0.1) + 0.25 * 0.1, 1e-12);
  EXPECT_EQ(expected_calibration_error({}), 0);
  EXPECT_EQ(debiased_calibration_error({}), 0);
}

TEST(CalibrationError, DebiasedSubtractsTheNoiseOfACalibratedPredictor) {
  // One bin, 100 pairs at 0.5, 70 accepted: 0.2 - √(2/π) · √(0.25 / 100).
  const Predictions p(100, 0.5);
  Labels labels(100, 0);
  std::fill_n(labels.begin(), 70, std::uint8_t{1});
  const auto curve = reliability_curve(p, labels);
  EXPECT_NEAR(debiased_calibration_error(curve), 0.2 - std::sqrt(2 / std::acos(-1.0)) * 0.05, 1e-12);
}

TEST(CalibrationError, DebiasedIsNoiseAroundZeroForACalibratedPredictor) {
  // 400 samples of 1000 pairs. Unclamped, the mean of ECE - floor is 0 within 4 standard errors.
  SyntheticDraws draws(3);
  double sum = 0;
  double squares = 0;
  double plain = 0;
  constexpr int kSamples = 400;
  for (int sample = 0; sample < kSamples; ++sample) {
    Predictions p;
    Labels labels;
    for (int i = 0; i < 1000; ++i) {
      p.push_back(draws.uniform());
      labels.push_back(draws.uniform() < p.back());
    }
    const auto curve = reliability_curve(p, labels);
    double floor = 0;
    for (const CalibrationBin& bin : curve) {
      const auto count = static_cast<double>(bin.count);
      floor += count / 1000 * std::sqrt(2 / std::acos(-1.0) * bin.prediction_variance / count);
    }
    const double difference = expected_calibration_error(curve) - floor;
    EXPECT_DOUBLE_EQ(debiased_calibration_error(curve) > 0, difference > 1e-15);
    sum += difference;
    squares += difference * difference;
    plain += expected_calibration_error(curve);
  }
  const double mean = sum / kSamples;
  const double error = std::sqrt((squares / kSamples - mean * mean) / kSamples);
  EXPECT_LT(std::abs(mean), 4 * error);
  EXPECT_GT(plain / kSamples, 0.03);  // what is subtracted is no trifle
}

TEST(BrierScore, IsTheMeanSquare) {
  EXPECT_DOUBLE_EQ(brier_score(Predictions{0.5, 1, 0}, Labels{1, 1, 1}), (0.25 + 0 + 1) / 3);
  EXPECT_EQ(brier_score({}, {}), 0);
}

TEST(AreaUnderRoc, CountsPairsAndHalvesTies) {
  EXPECT_DOUBLE_EQ(area_under_roc(Predictions{0.1, 0.2, 0.3}, Labels{0, 0, 1}), 1);
  EXPECT_DOUBLE_EQ(area_under_roc(Predictions{0.1, 0.2, 0.3}, Labels{1, 0, 0}), 0);
  EXPECT_DOUBLE_EQ(area_under_roc(Predictions{0.5, 0.5, 0.5}, Labels{1, 0, 0}), 0.5);
  // (0.4 beats 0.3 and ties with 0.4; 0.2 beats nothing) of 2 · 2 pairs
  EXPECT_DOUBLE_EQ(area_under_roc(Predictions{0.3, 0.4, 0.4, 0.2}, Labels{0, 0, 1, 1}), 1.5 / 4);
  EXPECT_TRUE(std::isnan(area_under_roc(Predictions{0.1, 0.9}, Labels{1, 1})));
  EXPECT_TRUE(std::isnan(area_under_roc({}, {})));
}

TEST(AreaUnderRoc, EqualsTheCountOverAllPairs) {
  SyntheticDraws draws(5);
  Predictions p;
  Labels labels;
  for (int i = 0; i < 300; ++i) {
    p.push_back(std::floor(draws.uniform() * 20) / 20);
    labels.push_back(draws.uniform() < p.back());
  }
  double wins = 0;
  double pairs = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    for (std::size_t j = 0; j < p.size(); ++j) {
      if (labels[i] != 1 || labels[j] != 0) continue;
      pairs += 1;
      wins += p[i] > p[j] ? 1 : p[i] == p[j] ? 0.5 : 0;
    }
  }
  EXPECT_NEAR(area_under_roc(p, labels), wins / pairs, 1e-12);
}

}  // namespace
}  // namespace dspark
