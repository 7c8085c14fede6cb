#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace dspark {

/// A value with the interval that 95 % of its bootstrap resamples fall into.
struct BootstrappedIndex {
  double value = 0;
  double low = 0;
  double high = 0;
};

/// Which part of the variance of an output one input accounts for: alone (first), and with all that it does
/// together with others (total). Inputs are independent.
struct SobolIndices {
  BootstrappedIndex first = {};
  BootstrappedIndex total = {};
};

/// The output over a Saltelli design: at the rows of two independent matrices of uniform draws A and B, and
/// of A with the column of one input taken from B. `at_mixed[i]` belongs to input i; all of one length.
struct SaltelliSample {
  std::vector<double> at_a = {};
  std::vector<double> at_b = {};
  std::vector<std::vector<double>> at_mixed = {};
};

/// Estimators of Jansen (1999) for first and total indices, as in Saltelli et al. (2010), table 2 (b) and
/// (f): S_i = 1 - mean((f_B - f_ABi)^2)/(2V), T_i = mean((f_A - f_ABi)^2)/(2V), V over A and B together.
/// Intervals: the percentiles of 200 resamples of whole rows, drawn by `seed`. Rows where any output is not a
/// number are left out; `rows_used` says how many stayed. All 0 where the output does not vary.
std::vector<SobolIndices> sobol_indices(const SaltelliSample& sample, std::uint64_t seed,
                                        std::size_t* rows_used = nullptr);

/// The value below which a share q of sorted values lies, 0 <= q <= 1: a straight line between the two order
/// statistics around q (n - 1). At least one value.
double sorted_quantile(std::span<const double> sorted, double q);

}  // namespace dspark
