#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "experiments/results/metric_samples.h"
#include "experiments/results/result_file.h"
#include "experiments/results/statistics.h"

namespace dspark {

/// The axis that stands for load, as an index into `experiment.axes`; -1 where there is none: the first
/// numeric one under `workload.arrivals`, else the first numeric one that is not the policy's.
int load_axis(const Experiment& experiment);
bool is_policy_axis(const std::string& path);
bool is_numeric_axis(const Experiment& experiment, std::size_t axis);

/// How a metric differs between two points, replication by replication: both saw the same users and coins.
struct PairedComparison {
  Interval difference;  // point - baseline
  Interval ratio;       // point / baseline
};
PairedComparison compare(const MetricSamples& samples, std::size_t metric, std::size_t point,
                         std::size_t baseline);

Table paired_table(const Experiment& experiment, const MetricSamples& samples);
Table crossovers_table(const Experiment& experiment, const MetricSamples& samples);

}  // namespace dspark
