#pragma once

#include <cstdint>
#include <span>

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

}  // namespace dspark
