#include "policies/elementary.h"

#include <array>
#include <cmath>
#include <limits>

namespace dspark {

double exp_portable(double x) {
  if (x < -708) return 0;
  if (x > 709) return std::numeric_limits<double>::infinity();
  const double scaled = x * 1.4426950408889634;
  const double n = (scaled + 0x1.8p52) - 0x1.8p52;
  const double r = (x - n * 0x1.62e42fefa0000p-1) - n * 0x1.cf79abc9e3b3ap-40;  // ln 2 in two parts
  double sum = 1;
  for (int k = 13; k >= 1; --k) sum = 1 + sum * r / k;
  return sum * std::bit_cast<double>((static_cast<std::int64_t>(n) + 1023) << 52);
}

double log_portable(double x) {
  const auto bits = std::bit_cast<std::int64_t>(x);
  const std::int64_t exponent = (bits - 0x3fe6a09e667f3bcd) >> 52;
  const double m = std::bit_cast<double>(bits - (exponent << 52));  // in [1/√2, √2)
  const double s = (m - 1) / (m + 1);
  const double s2 = s * s;
  double p = 0;
  for (int k = 23; k >= 3; k -= 2) p = p * s2 + 2.0 / k;
  const auto n = static_cast<double>(exponent);
  return n * 0x1.62e42fefa0000p-1 + (s * (2 + s2 * p) + n * 0x1.cf79abc9e3b3ap-40);
}

double normal_quantile(double u) {
  const double q = u - 0.5;
  if (q > -0.425 && q < 0.425) {
    const double r = 0.180625 - q * q;
    return q *
           (((((((2509.0809287301226727 * r + 33430.575583588128105) * r + 67265.770927008700853) * r +
                45921.953931549871457) *
                   r +
               13731.693765509461125) *
                  r +
              1971.5909503065514427) *
                 r +
             133.14166789178437745) *
                r +
            3.387132872796366608) /
           (((((((5226.495278852545925 * r + 28729.085735721942674) * r + 39307.89580009271061) * r +
                21213.794301586595867) *
                   r +
               5394.1960214247511077) *
                  r +
              687.1870074920579083) *
                 r +
             42.313330701600911252) *
                r +
            1);
  }
  const double tail = q < 0 ? u : 1 - u;
  double r = std::sqrt(-log_portable(tail));
  double value;
  if (r <= 5) {
    r -= 1.6;
    value =
        (((((((7.7454501427834140764e-4 * r + 0.0227238449892691845833) * r + 0.24178072517745061177) * r +
             1.27045825245236838258) *
                r +
            3.64784832476320460504) *
               r +
           5.7694972214606914055) *
              r +
          4.6303378461565452959) *
             r +
         1.42343711074968357734) /
        (((((((1.05075007164441684324e-9 * r + 5.475938084995344946e-4) * r + 0.0151986665636164571966) * r +
             0.14810397642748007459) *
                r +
            0.68976733498510000455) *
               r +
           1.6763848301838038494) *
              r +
          2.05319162663775882187) *
             r +
         1);
  } else {
    r -= 5;
    value =
        (((((((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 0.0012426609473880784386) *
                 r +
             0.026532189526576123093) *
                r +
            0.29656057182850489123) *
               r +
           1.7848265399172913358) *
              r +
          5.4637849111641143699) *
             r +
         6.6579046435011037772) /
        (((((((2.04426310338993978564e-15 * r + 1.4215117583164458887e-7) * r + 1.8463183175100546818e-5) *
                 r +
             7.868691311456132591e-4) *
                r +
            0.0148753612908506148525) *
               r +
           0.13692988092273580531) *
              r +
          0.59983220655588793769) *
             r +
         1);
  }
  return q < 0 ? -value : value;
}

const float* normal_grid() {
  static const auto grid = [] {
    constexpr int kCells = 4096;
    std::array<float, kCells + 1> values{};
    for (int i = 1; i < kCells; ++i) values[i] = static_cast<float>(normal_quantile(i / double{kCells}));
    values[0] = static_cast<float>(normal_quantile(0.5 / kCells)) * 1.06f;
    values[kCells] = -values[0];
    return values;
  }();
  return grid.data();
}

float normal_from_bits(std::uint32_t bits) { return normal_from_bits(bits, normal_grid()); }

}  // namespace dspark
