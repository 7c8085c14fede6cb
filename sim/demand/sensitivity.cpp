#include "sim/demand/sensitivity.h"

#include <algorithm>
#include <cmath>

#include "sim/random/random_key.h"

namespace dspark {
namespace {

constexpr int kResamples = 200;
constexpr std::uint32_t kBootstrapMatrix = 2;  // beside A and B of the design

std::vector<std::size_t> usable_rows(const SaltelliSample& sample) {
  std::vector<std::size_t> rows;
  for (std::size_t r = 0; r < sample.at_a.size(); ++r) {
    bool whole = std::isfinite(sample.at_a[r]) && std::isfinite(sample.at_b[r]);
    for (const auto& mixed : sample.at_mixed) whole = whole && std::isfinite(mixed[r]);
    if (whole) rows.push_back(r);
  }
  return rows;
}

double square(double x) { return x * x; }

/// Variance of the output over A and B; 0 where what is left is rounding.
double variance(const SaltelliSample& sample, std::span<const std::size_t> rows) {
  double mean = 0, sum = 0;
  for (const std::size_t r : rows) mean += sample.at_a[r] + sample.at_b[r];
  const double count = 2 * static_cast<double>(rows.size());
  mean /= count;
  for (const std::size_t r : rows) sum += square(sample.at_a[r] - mean) + square(sample.at_b[r] - mean);
  return sum / count > 1e-20 * square(mean) ? sum / count : 0;
}

struct Estimate {
  double first = 0;
  double total = 0;
};

Estimate jansen(const SaltelliSample& sample, std::size_t input, std::span<const std::size_t> rows,
                double variance) {
  if (variance == 0) return {};
  const std::vector<double>& mixed = sample.at_mixed[input];
  double from_a = 0, from_b = 0;
  for (const std::size_t r : rows) {
    from_a += square(sample.at_a[r] - mixed[r]);
    from_b += square(sample.at_b[r] - mixed[r]);
  }
  const double scale = 1 / (2 * variance * static_cast<double>(rows.size()));
  return {1 - from_b * scale, from_a * scale};
}

BootstrappedIndex with_interval(double value, std::vector<double>& resampled) {
  std::sort(resampled.begin(), resampled.end());
  return {value, sorted_quantile(resampled, 0.025), sorted_quantile(resampled, 0.975)};
}

}  // namespace

double sorted_quantile(std::span<const double> sorted, double q) {
  const double place = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

std::vector<SobolIndices> sobol_indices(const SaltelliSample& sample, std::uint64_t seed,
                                        std::size_t* rows_used) {
  const std::vector<std::size_t> rows = usable_rows(sample);
  const std::size_t inputs = sample.at_mixed.size();
  if (rows_used) *rows_used = rows.size();
  std::vector<SobolIndices> result(inputs);
  if (rows.size() < 2) return result;
  std::vector<std::vector<double>> firsts(inputs), totals(inputs);
  const RandomKey key = make_random_key(seed, 0);
  std::vector<std::size_t> resample(rows.size());
  for (int b = 0; b < kResamples; ++b) {
    for (std::size_t j = 0; j < rows.size(); ++j) {
      const auto words = draw_words(key, Stream::kUncertainDraw, static_cast<std::uint32_t>(b),
                                    static_cast<std::uint32_t>(j), kBootstrapMatrix);
      resample[j] = rows[words[0] * static_cast<std::uint64_t>(rows.size()) >> 32];
    }
    const double v = variance(sample, resample);
    for (std::size_t i = 0; i < inputs; ++i) {
      const Estimate estimate = jansen(sample, i, resample, v);
      firsts[i].push_back(estimate.first);
      totals[i].push_back(estimate.total);
    }
  }
  const double v = variance(sample, rows);
  for (std::size_t i = 0; i < inputs; ++i) {
    const Estimate estimate = jansen(sample, i, rows, v);
    result[i] = {with_interval(estimate.first, firsts[i]), with_interval(estimate.total, totals[i])};
  }
  return result;
}

}  // namespace dspark
