#pragma once

#include <string_view>

#include "policies/parameters.h"

namespace dspark {

/// How something spreads: the share that has adopted it, from 0 at the start of a path towards 1. Time in
/// years.
///
///     adoption: {at_once: {from: 1}}                         a step
///     adoption: {logistic: {half_after: 2, years: 3}}        S-shaped; `years` from a tenth to nine tenths
///     adoption: {bass: {from: 0.5, innovation: 0.03, imitation: 0.38}}
///
/// Bass (1969): F(t) = (1 - e^-(p+q)t) / (1 + q/p e^-(p+q)t) with t counted from `from`, the lag. A logistic
/// curve is shifted and scaled so that it starts at 0.
class Diffusion {
 public:
  enum class Kind { kAtOnce, kLogistic, kBass };
  /// At once, from the start.
  Diffusion() = default;
  /// Reads one of the three under `name`; absent: at once, from the start.
  Diffusion(Parameters& parameters, std::string_view name, std::string_view meaning);
  /// Share at `years` >= 0, never falling; 0 before `from`.
  double share(double years) const;

 private:
  Kind kind_ = Kind::kAtOnce;
  double from_ = 0;
  double half_after_ = 1;  // kLogistic: years
  double years_ = 1;       // kLogistic: from 10 % to 90 %
  double innovation_ = 0;  // kBass: p, per year
  double imitation_ = 0;   // kBass: q, per year
};

}  // namespace dspark
