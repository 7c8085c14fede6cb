#include "policies/calibration/sequential_temperature_scaling.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "policies/calibration/temper.h"
#include "policies/elementary.h"
#include "policies/invariant.h"

namespace dspark {
namespace {

constexpr int kMiddle = kTemperatureGridPoints / 2;

std::array<double, kTemperatureGridPoints> make_grid() {
  std::array<double, kTemperatureGridPoints> grid;
  for (int i = 0; i < kTemperatureGridPoints; ++i) {
    const int steps = i - kMiddle;  // of 2^(1/32)
    double root = 2;
    for (int halving = 0; halving < 5; ++halving)
      root = std::sqrt(root);  // exactly rounded: same bits everywhere
    double value = 1;
    for (int step = 0; step < std::abs(steps) % 32; ++step) value *= root;
    value = std::ldexp(value, std::abs(steps) / 32);
    grid[static_cast<std::size_t>(i)] = steps < 0 ? 1 / value : value;
  }
  return grid;
}

float temperature_of(std::span<const double> temperatures, int k) {
  if (temperatures.empty()) return 1;
  return static_cast<float>(temperatures[std::min(static_cast<std::size_t>(k - 1), temperatures.size() - 1)]);
}

/// The rounds used at position k, with what is known of them before T_k is.
struct Candidates {
  std::vector<double> before;     // a_{k-1}
  std::vector<float> confidence;  // raw c_k
  std::vector<std::uint8_t> label;
};

Candidates candidates_at(const Rounds& rounds, std::span<const std::uint32_t> rows,
                         std::span<const double> temperatures, int k) {
  Candidates found;
  if (rounds.confidence.empty()) return found;
  for (const std::uint32_t row : rows) {
    if (rounds.verified[row] < k) continue;
    const float* confidence = &rounds.confidence[rounds.at(row, 1)];
    if (std::any_of(confidence, confidence + k, [](float c) { return std::isnan(c); })) continue;
    double survival = 1;
    for (int i = 1; i < k; ++i) {
      survival *= static_cast<double>(temper(confidence[i - 1], temperature_of(temperatures, i)));
    }
    found.before.push_back(survival);
    found.confidence.push_back(confidence[k - 1]);
    found.label.push_back(rounds.accepted[row] >= k);
  }
  return found;
}

/// ECE of a_{k-1} · temper(c_k, T) for one T after another; as expected_calibration_error of the curve.
class ErrorSearch {
 public:
  ErrorSearch(const Candidates& rounds, int bins) : rounds_(rounds), bins_(static_cast<std::size_t>(bins)) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    for (const float c : rounds.confidence) {
      log_odds_.push_back(c <= 0 ? -kInfinity : c >= 1 ? kInfinity : logit(c));
    }
    tempered_.resize(log_odds_.size());
  }

  double error_at(float temperature) {
    if (temperature == 1) {
      tempered_ = rounds_.confidence;
    } else {  // a loop of its own, which vectorises
      for (std::size_t i = 0; i < log_odds_.size(); ++i) tempered_[i] = logistic(log_odds_[i] / temperature);
    }
    std::fill(bins_.begin(), bins_.end(), Bin{});
    const auto count = static_cast<double>(bins_.size());
    for (std::size_t i = 0; i < tempered_.size(); ++i) {
      const double p = rounds_.before[i] * static_cast<double>(tempered_[i]);
      Bin& bin = bins_[static_cast<std::size_t>(std::min(p * count, count - 1))];
      bin.prediction += p;
      bin.accepted += rounds_.label[i];
    }
    double sum = 0;
    for (const Bin& bin : bins_) sum += std::abs(bin.accepted - bin.prediction);
    return sum / static_cast<double>(tempered_.size());
  }

 private:
  struct Bin {  // sums
    double prediction = 0;
    double accepted = 0;
  };

  const Candidates& rounds_;
  std::vector<float> log_odds_;
  std::vector<float> tempered_;
  std::vector<Bin> bins_;
};

double best_temperature(const Candidates& rounds, int bins) {
  ErrorSearch search(rounds, bins);
  double best = 1;
  double least = search.error_at(1);
  // Outwards from 1, so that a tie keeps the nearest.
  for (int distance = 1; distance <= kMiddle; ++distance) {
    for (const int i : {kMiddle + distance, kMiddle - distance}) {
      const double temperature = temperature_grid()[static_cast<std::size_t>(i)];
      const double error = search.error_at(static_cast<float>(temperature));
      if (error >= least) continue;
      least = error;
      best = temperature;
    }
  }
  return best;
}

}  // namespace

std::span<const double> temperature_grid() {
  static const auto kGrid = make_grid();
  return kGrid;
}

LabelledSample cumulative_sample(const Rounds& rounds, std::span<const std::uint32_t> rows,
                                 std::span<const double> temperatures, int k) {
  DSPARK_INVARIANT(k >= 1 && k <= rounds.block_size);
  Candidates found = candidates_at(rounds, rows, temperatures, k);
  const float temperature = temperature_of(temperatures, k);
  for (std::size_t i = 0; i < found.before.size(); ++i) {
    found.before[i] *= static_cast<double>(temper(found.confidence[i], temperature));
  }
  return {std::move(found.before), std::move(found.label)};
}

LabelledSample conditional_sample(const Rounds& rounds, std::span<const std::uint32_t> rows,
                                  std::span<const double> temperatures, int k) {
  DSPARK_INVARIANT(k >= 1 && k <= rounds.block_size);
  LabelledSample sample;
  if (rounds.confidence.empty()) return sample;
  for (const std::uint32_t row : rows) {
    const float confidence = rounds.confidence[rounds.at(row, k)];
    if (rounds.verified[row] < k || rounds.accepted[row] < k - 1 || std::isnan(confidence)) continue;
    sample.prediction.push_back(static_cast<double>(temper(confidence, temperature_of(temperatures, k))));
    sample.label.push_back(rounds.accepted[row] >= k);
  }
  return sample;
}

std::vector<double> fit_temperatures(const Rounds& rounds, std::span<const std::uint32_t> rows,
                                     const TemperatureFitOptions& options) {
  std::vector<double> temperatures;
  for (int k = 1; k <= rounds.block_size; ++k) {
    const Candidates found = candidates_at(rounds, rows, temperatures, k);
    const auto count = static_cast<std::int64_t>(found.label.size());
    if (count < std::max<std::int64_t>(1, options.minimum_rounds)) break;
    temperatures.push_back(best_temperature(found, options.bins));
  }
  return temperatures;
}

}  // namespace dspark
