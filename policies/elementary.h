#pragma once

#include <bit>
#include <cstdint>

namespace dspark {

// exp, log and their kin for simulator and policies, as our own polynomials: libm's bits differ with the
// processor, ours do not, and the float versions vectorise. Errors: double versions below 4e-16 relative, the
// float logistic below 2e-7 absolute, the float log below 2e-7 of the larger of 1 and its value
// (elementary_test.cpp).

/// e^x; 0 below -708, +inf above 709.
double exp_portable(double x);
/// Natural logarithm of x > 0 (normal numbers).
double log_portable(double x);
/// Quantile of the standard normal distribution, 0 < u < 1 (Wichura, algorithm AS 241, error below 1e-15).
double normal_quantile(double u);

/// 1 / (1 + e^-x) in float, any x.
inline float logistic(float x) {
  x = x < -30.0f ? -30.0f : (x > 30.0f ? 30.0f : x);
  // e^-x = 2^n · e^r with n whole and |r| <= ln 2 / 2; adding and subtracting 1.5·2^23 rounds to a whole
  // number.
  const float scaled = x * -1.44269504f;
  const float rounded = (scaled + 12582912.0f) - 12582912.0f;
  const float r = (scaled - rounded) * 0.693147181f;
  float e = 1.0f / 5040.0f;
  e = e * r + 1.0f / 720.0f;
  e = e * r + 1.0f / 120.0f;
  e = e * r + 1.0f / 24.0f;
  e = e * r + 1.0f / 6.0f;
  e = e * r + 0.5f;
  e = e * r + 1.0f;
  e = e * r + 1.0f;
  const auto exponent = (static_cast<std::int32_t>(rounded) + 127) << 23;
  return 1.0f / (1.0f + e * std::bit_cast<float>(exponent));
}

/// Natural logarithm in float, x > 0 and normal.
inline float log_portable(float x) {
  const auto bits = std::bit_cast<std::int32_t>(x);
  const std::int32_t exponent = (bits - 0x3f3504f3) >> 23;
  const float m = std::bit_cast<float>(bits - (exponent << 23));  // in [1/√2, √2)
  const float s = (m - 1.0f) / (m + 1.0f);
  const float s2 = s * s;
  float p = 2.0f / 9.0f;
  p = p * s2 + 2.0f / 7.0f;
  p = p * s2 + 2.0f / 5.0f;
  p = p * s2 + 2.0f / 3.0f;
  return static_cast<float>(exponent) * 0.693147181f + s * (2.0f + s2 * p);
}

/// A standard normal variate from 32 random bits: the quantile function on a grid of 4096 points, linear
/// between. Truncated at ±3.7; used for latent difficulty, where the far tail carries nothing.
float normal_from_bits(std::uint32_t bits);
/// The grid itself, for loops over columns: 4097 values, `normal_from_bits` inlined.
const float* normal_grid();
inline float normal_from_bits(std::uint32_t bits, const float* grid) {
  const std::uint32_t cell = bits >> 20;
  const float fraction = static_cast<float>(static_cast<std::int32_t>(bits & 0xfffff)) * 0x1p-20f;
  return grid[cell] + (grid[cell + 1] - grid[cell]) * fraction;
}

/// Uniform in (0, 1) from 32 random bits.
inline double uniform_from_bits(std::uint32_t bits) { return (static_cast<double>(bits) + 0.5) * 0x1p-32; }

}  // namespace dspark
