#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "experiments/results/metric_samples.h"
#include "experiments/results/result_file.h"
#include "experiments/results/statistics.h"

namespace dspark {

/// The axis that is load, as an index into `experiment.axes`; -1 where there is none: the first numeric one
/// among the `users`, `rate` and `time_scale` of `workload.arrivals`. A lower time scale is more load.
int load_axis(const Experiment& experiment);
/// The axis that figures have along x: that of the load, else the first numeric one of the arrivals, else the
/// first numeric one that is not the policy's; -1 where there is none.
int figure_axis(const Experiment& experiment);
/// What policies are ranked by at a point: `throughput`, or `user_speed_mean` where arrivals are open and
/// therefore fix the throughput.
const char* ranked_metric(const Point& point);
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
