#include "experiments/results/statistics.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>

namespace dspark {
namespace {

struct MeanAndError {
  double mean = 0;
  double standard_error = 0;
};

/// Of two values or more.
MeanAndError mean_and_error(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += value;
  const double mean = sum / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / (n - 1) / n)};
}

}  // namespace

double student_t_975(std::int64_t degrees_of_freedom) {
  const boost::math::students_t distribution(static_cast<double>(degrees_of_freedom));
  return std::nearbyint(boost::math::quantile(distribution, 0.975) * 1e6) / 1e6;
}

Interval interval_of(std::span<const double> values) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const auto n = static_cast<std::int64_t>(values.size());
  if (n == 0) return {kNone, kNone, kNone, 0};
  if (n == 1) return {values.front(), kNone, kNone, 1};
  const auto [mean, standard_error] = mean_and_error(values);
  const double half = student_t_975(n - 1) * standard_error;
  return {mean, mean - half, mean + half, n};
}

Interval ratio_of_means(std::span<const double> a, std::span<const double> b) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const auto n = static_cast<std::int64_t>(std::min(a.size(), b.size()));
  if (n == 0) return {kNone, kNone, kNone, 0};
  const double ratio = interval_of(a).mean / interval_of(b).mean;
  if (n == 1) return {ratio, kNone, kNone, 1};
  const auto [mean_a, error_a] = mean_and_error(a);
  const auto [mean_b, error_b] = mean_and_error(b);
  const double part_a = (error_a / mean_b) * (error_a / mean_b);
  const double part_b = (ratio * error_b / mean_b) * (ratio * error_b / mean_b);
  const double variance = part_a + part_b;
  if (variance == 0) return {ratio, ratio, ratio, n};
  const double degrees = variance * variance /
                         (part_a * part_a / static_cast<double>(a.size() - 1) +
                          part_b * part_b / static_cast<double>(b.size() - 1));
  if (!std::isfinite(degrees)) return {ratio, kNone, kNone, n};
  const double half =
      student_t_975(std::max<std::int64_t>(1, static_cast<std::int64_t>(degrees))) * std::sqrt(variance);
  return {ratio, ratio - half, ratio + half, n};
}

double paired_t_p_value(std::span<const double> differences) {
  if (differences.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  const auto [mean, standard_error] = mean_and_error(differences);
  if (standard_error == 0) return mean == 0 ? 1 : 0;
  const boost::math::students_t distribution(static_cast<double>(differences.size() - 1));
  return 2 * boost::math::cdf(boost::math::complement(distribution, std::fabs(mean / standard_error)));
}

std::vector<double> holm_adjusted(std::span<const double> p_values) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p_values.size(); ++i) {
    if (!std::isnan(p_values[i])) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> adjusted(p_values.size(), std::numeric_limits<double>::quiet_NaN());
  double largest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto left = static_cast<double>(order.size() - i);
    largest = std::max(largest, std::min(1.0, left * p_values[order[i]]));
    adjusted[order[i]] = largest;
  }
  return adjusted;
}

}  // namespace dspark
