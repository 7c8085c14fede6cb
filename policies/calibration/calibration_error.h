#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace dspark {

// How far predicted probabilities are from the frequencies of what they predict. All functions take pairs:
// prediction[i] in 0..1 and label[i] in {0, 1}, equally many; bins are equal-width over 0..1, the last one
// includes 1 (REFERENCE.md section 3: 20 bins, weighted by count).

constexpr int kCalibrationBins = 20;

/// One bin of a reliability curve. `low`, `high`: the 95 % Wilson score interval of the frequency.
struct CalibrationBin {
  int bin = 0;  // covers bin / bins .. (bin + 1) / bins
  std::int64_t count = 0;
  double prediction = 0;  // mean
  double frequency = 0;   // mean label
  double low = 0;
  double high = 0;
  double prediction_variance = 0;  // mean of p (1 - p): of one label, were the predictions true
};

/// The bins that have pairs, in ascending order. bins >= 1.
std::vector<CalibrationBin> reliability_curve(std::span<const double> prediction,
                                              std::span<const std::uint8_t> label,
                                              int bins = kCalibrationBins);

/// 95 % Wilson score interval of `successes` in `count` >= 1 trials (Wilson 1927), within 0..1.
struct WilsonInterval {
  double low = 0;
  double high = 0;
};
WilsonInterval wilson_interval(std::int64_t successes, std::int64_t count);

/// Expected calibration error Σ_b n_b/N · |frequency_b - prediction_b|; 0 without pairs.
double expected_calibration_error(std::span<const CalibrationBin> curve);

/// ECE is above 0 for the best of predictors, since frequencies are noisy. This subtracts what a *calibrated*
/// predictor with these predictions would show, in the normal approximation of each bin:
///
///     max(0, Σ_b n_b/N · (|frequency_b - prediction_b| - √(2/π) · σ_b)),   σ_b² = Σ_{i in b} p_i (1 - p_i) /
///     n_b²
///
/// Before the maximum its mean is 0 where the predictor is calibrated; where it is not, it is at most the
/// subtracted amount too low.
double debiased_calibration_error(std::span<const CalibrationBin> curve);

/// Mean of (prediction - label)²; 0 without pairs.
double brier_score(std::span<const double> prediction, std::span<const std::uint8_t> label);

/// Area under the ROC curve: the probability that a pair with label 1 has the larger prediction of two with
/// different labels, ties counted half. NaN where one label is missing.
double area_under_roc(std::span<const double> prediction, std::span<const std::uint8_t> label);

}  // namespace dspark
