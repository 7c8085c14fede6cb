#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace dspark {

// The logistic function and its inverse in float. Calibrated confidences feed decisions, which must have the
// same bits on every machine; libm's exp and log do not, so these use +, -, *, / alone, and vectorise.

/// σ(x) = 1 / (1 + e^-x), absolute error below 2e-7. x is held within ±80: results are 1.8e-35 .. 1.
inline float sigmoid(float x) {
  x = std::min(std::max(-80.0f, x), 80.0f);  // in this order NaN becomes -80
  // e^-x = 2^n · e^r, n whole, |r| <= ln 2 / 2: adding and subtracting 1.5·2^23 rounds; ln 2 in two parts.
  const float n = (x * -1.44269504f + 12582912.0f) - 12582912.0f;
  const float r = (-x - n * 0.693359375f) + n * 2.12194440e-4f;
  float e = 1.0f / 5040;
  e = e * r + 1.0f / 720;
  e = e * r + 1.0f / 120;
  e = e * r + 1.0f / 24;
  e = e * r + 1.0f / 6;
  e = e * r + 0.5f;
  e = e * r + 1.0f;
  e = e * r + 1.0f;
  return 1.0f / (1.0f + e * std::bit_cast<float>((static_cast<std::int32_t>(n) + 127) << 23));
}

/// logit(p) = ln(p / (1 - p)) for 0 < p < 1, error below 3e-7 of the larger of 1 and its value. p is held at
/// 2^-126 or above, 1 counts as the float below it.
inline float logit(float p) {
  p = std::min(std::max(0x1p-126f, p), 1 - 0x1p-24f);
  const float odds = p / (1 - p);
  const auto bits = std::bit_cast<std::int32_t>(odds);
  const std::int32_t exponent = (bits - 0x3f3504f3) >> 23;
  const float m = std::bit_cast<float>(bits - (exponent << 23));  // in [1/√2, √2)
  const float s = (m - 1) / (m + 1);                              // ln m = 2 artanh s
  const float s2 = s * s;
  const float series = ((2.0f / 9 * s2 + 2.0f / 7) * s2 + 2.0f / 5) * s2 + 2.0f / 3;
  return static_cast<float>(exponent) * 0.693147181f + s * (2 + s2 * series);
}

/// σ(logit(c) / T), T > 0: 0 and 1 stay (NaN becomes 0), order is preserved up to rounding, 0.5 is never
/// crossed. T = 1 changes no bit.
inline float temper(float confidence, float temperature) {
  const float tempered = temperature == 1 ? confidence : sigmoid(logit(confidence) / temperature);
  return confidence >= 1 ? 1.0f : confidence > 0 ? tempered : 0.0f;
}

}  // namespace dspark
