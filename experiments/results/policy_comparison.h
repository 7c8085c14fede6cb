#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "experiments/results/result_file.h"
#include "experiments/results/statistics.h"
#include "policies/error.h"

namespace dspark {

/// Probability of any false mark in a table of comparisons.
constexpr double kSignificanceLevel = 0.05;

/// One policy under one setting of the other axes, against the baseline policy under the same setting. What
/// does not exist is NaN: anything compared where the baseline was not measured, and of the baseline itself.
struct ComparedPolicy {
  std::size_t point = 0;    // row of /points
  std::size_t setting = 0;  // index into PolicyComparison::settings
  std::size_t policy = 0;   // index into PolicyComparison::policies
  bool lossless = true;
  bool is_baseline = false;
  double mean = 0;  // of the metric
  /// Mean of policy / baseline - 1 within each replication, in which both saw the same users and coins; 95 %
  /// interval of this difference alone.
  Interval difference;
  double p_value = 0;        // that the difference is 0: two-sided paired t test
  double p_adjusted = 0;     // Holm, over all comparisons of the table
  bool significant = false;  // p_adjusted <= kSignificanceLevel
  /// Mean of (policy - baseline) over that of (oracle - baseline), where there is an `oracle` whose gain is
  /// clear (its interval lies above 0) and more of the metric is better.
  double share_of_oracle_gain = 0;
  double wasted_per_output_token = 0;  // verified and rejected draft tokens per output token
};

/// All policies of a result, setting by setting, against one of them.
struct PolicyComparison {
  std::string metric;
  std::string unit;
  std::string baseline;                            // a policy, as written
  std::vector<std::string> axes;                   // paths of all axes but the policy's
  std::vector<std::vector<std::string>> settings;  // their values, each combination once, as they appear
  std::vector<std::string> policies;               // as written, in the order they appear
  std::vector<ComparedPolicy> rows;                // in the order of /points
  std::size_t family = 0;  // comparisons that have a p value: what Holm's correction counts
};

/// Compares by `metric`; where empty, by what the result ranks policies by: throughput, or user_speed_mean
/// where arrivals are open. Against `baseline`, a policy as the result writes it; where empty, `none`, else
/// the first policy. Errors: a metric or policy that the result does not have.
Result<PolicyComparison> compare_policies(const ResultFile& file, const std::string& metric,
                                          const std::string& baseline);

/// The comparison as a table of one row per policy and setting: the axes, then what is compared.
Table comparison_table(const PolicyComparison& comparison);

/// Whether a policy that has more of this metric is the better one, as far as is known.
bool more_is_better(const std::string& metric);

}  // namespace dspark
