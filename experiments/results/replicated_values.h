#pragma once

#include <span>
#include <string>
#include <vector>

#include "experiments/results/baseline_speed.h"
#include "experiments/results/result_file.h"

namespace dspark {

/// The values of one metric of a result, by point and replication; NaN where it was not measured.
class ReplicatedValues {
 public:
  ReplicatedValues(const ResultFile& file, const std::string& metric);
  /// Without these runs, as if they had not been measured.
  void leave_out(std::span<const BaselineSpeed::Run> runs);

  std::size_t replications() const { return replications_; }
  double at(std::size_t point, std::size_t replication) const {
    return values_[point * replications_ + replication];
  }
  /// Those measured at a point, in the order of the replications.
  std::vector<double> of(std::size_t point) const;
  /// NaN where there are none.
  double mean(std::size_t point) const;
  /// point / baseline - 1 of each replication that measured both, where that is a number; `baselines` is the
  /// baseline's result.
  std::vector<double> relative_differences(std::size_t point, const ReplicatedValues& baselines,
                                           std::size_t baseline) const;

 private:
  std::size_t replications_;
  std::vector<double> values_;
};

}  // namespace dspark
