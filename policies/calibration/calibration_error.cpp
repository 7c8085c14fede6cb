#include "policies/calibration/calibration_error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "policies/invariant.h"

namespace dspark {

std::vector<CalibrationBin> reliability_curve(std::span<const double> prediction,
                                              std::span<const std::uint8_t> label, int bins) {
  DSPARK_INVARIANT(bins >= 1 && prediction.size() == label.size());
  std::vector<CalibrationBin> curve(static_cast<std::size_t>(bins));
  for (std::size_t i = 0; i < prediction.size(); ++i) {
    const double p = prediction[i];
    CalibrationBin& bin = curve[static_cast<std::size_t>(std::min(p * bins, bins - 1.0))];
    ++bin.count;
    bin.prediction += p;
    bin.frequency += label[i];
    bin.prediction_variance += p * (1 - p);
  }
  for (int b = 0; b < bins; ++b) {
    CalibrationBin& bin = curve[static_cast<std::size_t>(b)];
    bin.bin = b;
    if (bin.count == 0) continue;
    const auto count = static_cast<double>(bin.count);
    const WilsonInterval interval = wilson_interval(static_cast<std::int64_t>(bin.frequency), bin.count);
    bin.low = interval.low;
    bin.high = interval.high;
    bin.prediction /= count;
    bin.frequency /= count;
    bin.prediction_variance /= count;
  }
  std::erase_if(curve, [](const CalibrationBin& bin) { return bin.count == 0; });
  return curve;
}

WilsonInterval wilson_interval(std::int64_t successes, std::int64_t count) {
  constexpr double kZ = 1.959963984540054;  // 97.5 % quantile of the standard normal
  const auto n = static_cast<double>(count);
  const double share = static_cast<double>(successes) / n;
  const double centre = (share + kZ * kZ / (2 * n)) / (1 + kZ * kZ / n);
  const double half = kZ * std::sqrt(share * (1 - share) / n + kZ * kZ / (4 * n * n)) / (1 + kZ * kZ / n);
  return {successes == 0 ? 0 : centre - half,
          successes == count ? 1 : centre + half};  // 0 and 1 but for rounding
}

namespace {

/// Σ_b n_b · excess(b) / N.
template <class Excess>
double weighted_by_count(std::span<const CalibrationBin> curve, const Excess& excess) {
  double sum = 0;
  double pairs = 0;
  for (const CalibrationBin& bin : curve) {
    sum += static_cast<double>(bin.count) * excess(bin);
    pairs += static_cast<double>(bin.count);
  }
  return pairs > 0 ? sum / pairs : 0;
}

double gap(const CalibrationBin& bin) { return std::abs(bin.frequency - bin.prediction); }

}  // namespace

double expected_calibration_error(std::span<const CalibrationBin> curve) {
  return weighted_by_count(curve, gap);
}

double debiased_calibration_error(std::span<const CalibrationBin> curve) {
  constexpr double kMeanOfAbsoluteNormal = 0.7978845608028654;  // √(2/π)
  return std::max(0.0, weighted_by_count(curve, [](const CalibrationBin& bin) {
                    const double variance = bin.prediction_variance / static_cast<double>(bin.count);
                    return gap(bin) - kMeanOfAbsoluteNormal * std::sqrt(variance);
                  }));
}

double brier_score(std::span<const double> prediction, std::span<const std::uint8_t> label) {
  double sum = 0;
  for (std::size_t i = 0; i < prediction.size(); ++i) {
    sum += (prediction[i] - label[i]) * (prediction[i] - label[i]);
  }
  return prediction.empty() ? 0 : sum / static_cast<double>(prediction.size());
}

double area_under_roc(std::span<const double> prediction, std::span<const std::uint8_t> label) {
  std::vector<std::uint32_t> order(prediction.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return prediction[a] < prediction[b]; });
  double wins = 0;  // of pairs (label 1, label 0), ties counted half
  double negatives = 0;
  double positives = 0;
  for (std::size_t begin = 0; begin < order.size();) {
    double tied_positives = 0;
    double tied_negatives = 0;
    std::size_t end = begin;
    for (; end < order.size() && prediction[order[end]] == prediction[order[begin]]; ++end) {
      (label[order[end]] ? tied_positives : tied_negatives) += 1;
    }
    wins += tied_positives * (negatives + tied_negatives / 2);
    positives += tied_positives;
    negatives += tied_negatives;
    begin = end;
  }
  if (positives == 0 || negatives == 0) return std::numeric_limits<double>::quiet_NaN();
  return wins / (positives * negatives);
}

}  // namespace dspark
