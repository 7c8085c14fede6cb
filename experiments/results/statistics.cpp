#include "experiments/results/statistics.h"

#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>

namespace dspark {

double student_t_975(std::int64_t degrees_of_freedom) {
  const boost::math::students_t distribution(static_cast<double>(degrees_of_freedom));
  return std::nearbyint(boost::math::quantile(distribution, 0.975) * 1e6) / 1e6;
}

Interval interval_of(std::span<const double> values) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const auto n = static_cast<std::int64_t>(values.size());
  if (n == 0) return {kNone, kNone, kNone, 0};
  double sum = 0;
  for (const double value : values) sum += value;
  const double mean = sum / static_cast<double>(n);
  if (n == 1) return {mean, kNone, kNone, 1};
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double variance_of_mean = squares / static_cast<double>(n - 1) / static_cast<double>(n);
  const double half = student_t_975(n - 1) * std::sqrt(variance_of_mean);
  return {mean, mean - half, mean + half, n};
}

}  // namespace dspark
