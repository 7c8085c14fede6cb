#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "experiments/schema/experiment.h"
#include "experiments/sweep/runner.h"

namespace dspark {

struct MetricName {
  std::string name;  // `accepted_length`, `survival.3`
  std::string unit;
  std::string description;
};

/// The metrics that occur in a sweep, in the order of the catalogue and then of positions, and their values.
class MetricSamples {
 public:
  MetricSamples(const Experiment& experiment, const SweepResults& results);

  const std::vector<MetricName>& names() const { return names_; }
  /// Index into `names`, or -1.
  int index_of(std::string_view name) const;
  std::size_t points() const { return points_; }
  std::size_t replications() const { return replications_; }
  /// NaN where the replication could not measure the metric.
  double at(std::size_t metric, std::size_t point, std::size_t replication) const {
    return values_[(metric * points_ + point) * replications_ + replication];
  }
  /// The measurable values of a metric at a point, in the order of the replications.
  std::vector<double> of(std::size_t metric, std::size_t point) const;

 private:
  std::size_t points_;
  std::size_t replications_;
  std::vector<MetricName> names_;
  std::vector<double> values_;
};

}  // namespace dspark
