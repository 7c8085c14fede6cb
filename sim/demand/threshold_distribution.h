#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "policies/parameters.h"
#include "sim/demand/assumption.h"

namespace dspark {

/// Thresholds of a crowd: willingness to pay, tolerable waiting. Immutable.
class ThresholdDistribution {
 public:
  virtual ~ThresholdDistribution() = default;
  /// Share of the crowd whose threshold is at least x > 0; never rises with x. For `pareto` without a lowest
  /// value this is a measure without total: only ratios mean anything.
  virtual double at_least(double x) const = 0;
};

/// One of pareto (exponent `alpha`; `lowest` is where everybody is in), lognormal (`median`, `sigma`) and
/// table
/// (`values` rising, `shares` with a threshold of at least that, which must not rise; straight lines between,
/// level outside). Errors: parameters out of range, tables that are not monotone or of two lengths.
std::unique_ptr<const ThresholdDistribution> read_threshold_distribution(Parameters& parameters,
                                                                         std::string_view name,
                                                                         std::string_view unit,
                                                                         std::string_view meaning,
                                                                         const SegmentContext& context);

/// Distribution function of the standard normal distribution, absolute error below 1e-14, the same bits on
/// every x86-64.
double normal_probability(double x);

}  // namespace dspark
