#pragma once

#include "sim/demand/demand_form.h"
#include "sim/demand/threshold_distribution.h"

namespace dspark {

/// Applications of one kind, as a row of a table names them.
struct ApplicationRow {
  double willingness_to_pay = 0;  // $ per million weighted tokens
  double tolerable_latency = 0;   // s
  double weight = 0;              // requests, in any unit
};
/// Columns dollars_per_million_tokens, seconds and weight, all > 0. Errors, at their line: columns that are
/// not there, numbers out of range, a table without rows.
Result<std::vector<ApplicationRow>> read_application_rows(InputFile file);

/// Applications that exist where two thresholds are met at once: what a million tokens are worth to them, and
/// how long they can wait. Pareto worths give constant elasticity alpha, lognormal ones an elasticity that
/// falls with the price. As the volume of a segment, and as its new applications.
///
///     volume: {threshold_mixture: {willingness_to_pay: {lognormal: {median: 1, sigma: 1.5}}}}
///     new_applications: {willingness_to_pay: {pareto: {alpha: 0.4}}, tolerable_latency: {lognormal: {median:
///     10, sigma: 1}}}
class ThresholdMixture final : public DemandForm {
 public:
  /// `applications: FILE.csv` names rows in the place of the two laws; whoever reads market files loads it.
  ThresholdMixture(Parameters& parameters, const SegmentContext& context);

  /// Share of the applications that exist. 0 at the baseline is for the caller to refuse: nothing is relative
  /// to it.
  double share(const Conditions& conditions) const;
  double relative_volume(const Conditions& now, const Conditions& base) const override;

 private:
  std::unique_ptr<const ThresholdDistribution> willingness_to_pay_;
  std::unique_ptr<const ThresholdDistribution> tolerable_latency_;  // nullptr: any waiting
  std::vector<ApplicationRow> rows_;                                // in the place of both
};

}  // namespace dspark
