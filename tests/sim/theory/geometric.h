#pragma once

#include <cmath>

namespace dspark::testing {

/// Expected tokens of a round at depth k where each token is accepted with probability a < 1, the bonus token
/// included [REFERENCE.md 1; Leviathan 2023, equation 1].
inline double accepted_length(double a, int k) { return (1 - std::pow(a, k + 1)) / (1 - a); }

/// Tokens per second at depth k where a step takes 1 second and c more for each draft token.
inline double speed_up(double a, int k, double c) { return accepted_length(a, k) / (1 + c * k); }

}  // namespace dspark::testing
