#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace dspark {

/// A mean with its 95 % interval; low and high are NaN where n < 2, all three where n = 0.
struct Interval {
  double mean = 0;
  double low = 0;
  double high = 0;
  std::int64_t n = 0;
};

/// The 97.5 % point of Student's t, rounded to six decimals so that results do not depend on the maths
/// library's last bits.
double student_t_975(std::int64_t degrees_of_freedom);

/// Student-t interval of independent values, summed in their order. Values must be finite.
Interval interval_of(std::span<const double> values);

/// Mean of `a` over mean of `b`, which were drawn independently of each other, with the 95 % interval of the
/// delta method: standard errors added in squares, Student's t with the degrees of freedom of Welch and
/// Satterthwaite (rounded down). n is the smaller number; values must be finite.
Interval ratio_of_means(std::span<const double> a, std::span<const double> b);

/// Two-sided p value of the paired t test: how likely differences with so large a |mean| / standard error are
/// where the true mean is 0 (Student's t, n - 1 degrees of freedom; at least 0.05 where the 95 % interval of
/// these differences holds 0, to rounding). NaN where n < 2; 1 where all differences are 0. Differences must
/// be finite.
double paired_t_p_value(std::span<const double> differences);

/// P values adjusted by Holm's step-down (Scandinavian Journal of Statistics 6, 1979), in the order given:
/// the i-th smallest of m is multiplied by m - i + 1, and none is below a smaller one's, nor above 1.
/// Rejecting where the adjusted value is at most α keeps the probability of any false rejection at α,
/// whatever the dependence between the tests. NaN (no test) stays NaN and does not count into m.
std::vector<double> holm_adjusted(std::span<const double> p_values);

}  // namespace dspark
