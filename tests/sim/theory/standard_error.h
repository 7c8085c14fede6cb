#pragma once

#include <cmath>
#include <span>

namespace dspark::testing {

/// A mean and its standard error, from samples that are independent of each other: replications (another key
/// each) or users whose replies share no coin.
struct Estimate {
  double mean = 0;
  double standard_error = 0;
};

/// `independent`: at least 16, so that four standard errors of the t distribution are next to those of the
/// normal one (beyond them lie 0.12 % of one law's checks at 16 samples, 0.01 % at 64).
inline Estimate estimate(std::span<const double> independent) {
  const auto n = static_cast<double>(independent.size());
  double mean = 0, squares = 0;
  for (const double sample : independent) mean += sample / n;
  for (const double sample : independent) squares += (sample - mean) * (sample - mean);
  return {mean, std::sqrt(squares / (n - 1) / n)};
}

/// How far the estimate lies from the closed form, in standard errors.
inline double deviation(const Estimate& measured, double closed_form) {
  return std::abs(measured.mean - closed_form) / measured.standard_error;
}

/// What a law allows. The true system must stay within it and each planted mutant beyond it.
constexpr double kStandardErrors = 4;

}  // namespace dspark::testing
