#pragma once

#include <cmath>

#include "policies/elementary.h"

namespace dspark {

/// base^exponent, base >= 0, the same bits on every x86-64; 0^0 = 1, and 0^exponent is infinite below 0.
inline double power(double base, double exponent) {
  if (exponent == 0) return 1;
  if (base <= 0) return exponent > 0 ? 0 : HUGE_VAL;
  return exp_portable(exponent * log_portable(base));
}

}  // namespace dspark
