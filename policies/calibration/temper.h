#pragma once

#include <algorithm>

#include "policies/elementary.h"

namespace dspark {

// Temperatures in float and our own elementary functions: calibrated confidences feed decisions, which have
// the same bits on every machine. Loops over columns vectorise.

/// logit(p) = ln(p / (1 - p)), error below 3e-7 of the larger of 1 and its value. p is held within 2^-126 ..
/// 1 - 2^-24.
inline float logit(float p) {
  p = std::min(std::max(0x1p-126f, p), 1 - 0x1p-24f);  // in this order NaN becomes 2^-126
  return log_portable(p / (1 - p));
}

/// σ(logit(c) / T), T > 0: 0 and 1 stay (NaN becomes 0), order is preserved up to rounding, 0.5 is never
/// crossed. T = 1 changes no bit; results below 1e-13 are held there.
inline float temper(float confidence, float temperature) {
  const float tempered = temperature == 1 ? confidence : logistic(logit(confidence) / temperature);
  return confidence >= 1 ? 1.0f : confidence > 0 ? tempered : 0.0f;
}

}  // namespace dspark
