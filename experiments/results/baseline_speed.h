#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "experiments/results/result_file.h"

namespace dspark {

/// How fast the computer itself was while a result was measured: the seconds of one small step before and
/// after each run (/recordings, BaselineStep). A computer that shares its cores, or changes its clock, runs
/// at several speeds, and what was measured at another speed says nothing of the model.
class BaselineSpeed {
 public:
  /// Nothing where no baseline was measured.
  static std::optional<BaselineSpeed> of(const ResultFile& file);

  std::size_t runs() const { return runs_.size(); }
  double median() const { return median_; }  // seconds, over both measurements of all runs
  double least() const { return least_; }
  double most() const { return most_; }

  struct Run {
    std::size_t point = 0;
    std::size_t replication = 0;
    double before = 0;
    double after = 0;
  };
  /// Those with a baseline, before or after, that is off the median by more than this share of it.
  std::vector<Run> unsteady(double share) const;

 private:
  std::vector<Run> runs_;
  double median_ = 0, least_ = 0, most_ = 0;
};

}  // namespace dspark
