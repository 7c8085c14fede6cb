#include "kernels/cpu/angles.h"

#include <cstdint>

namespace dspark {

Turn turn_by(double angle) {
  // The nearest multiple of π/2 is taken away in two parts; the first has 33 bits, so that its product with a
  // number of quarters below 2^20 is exact.
  constexpr double kQuartersPerRadian = 0.63661977236758134, kRound = 0x1.8p52;
  constexpr double kHigh = 0x1.921fb544p0, kLow = 0x1.0b4611a626331p-34;
  const double quarters = (angle * kQuartersPerRadian + kRound) - kRound;
  const double r = (angle - quarters * kHigh) - quarters * kLow;
  const double r2 = r * r;
  // Taylor's series; |r| <= π/4.
  double s = -1.0 / 39916800;
  s = s * r2 + 1.0 / 362880;
  s = s * r2 - 1.0 / 5040;
  s = s * r2 + 1.0 / 120;
  s = s * r2 - 1.0 / 6;
  s = r + r * r2 * s;
  double c = -1.0 / 87178291200;
  c = c * r2 + 1.0 / 479001600;
  c = c * r2 - 1.0 / 3628800;
  c = c * r2 + 1.0 / 40320;
  c = c * r2 - 1.0 / 720;
  c = c * r2 + 1.0 / 24;
  c = c * r2 - 0.5;
  c = 1.0 + r2 * c;
  switch (static_cast<std::int64_t>(quarters) & 3) {
    case 0:
      return {c, s};
    case 1:
      return {-s, c};
    case 2:
      return {-c, -s};
    default:
      return {s, -c};
  }
}

}  // namespace dspark
