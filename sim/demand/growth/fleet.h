#pragma once

#include <vector>

#include "sim/demand/growth/growth_plan.h"

namespace dspark {

/// GPUs by generation and day. Their work is counted in *equivalents*: GPUs of the machine of the file that
/// serve the same tokens at the same user speed.
class Fleet {
 public:
  /// `gpus` of the first generation, their ages spread evenly over a GPU's life; what retires before the
  /// first order can arrive was replaced in time.
  Fleet(const GrowthPlan& plan, double gpus);

  struct Size {
    double gpus = 0;
    double equivalents = 0;
    double dollars = 0;  // per hour, in those of a GPU-hour of the file's machine
    double watts = 0;    // in those of its GPU
  };
  /// Of the GPUs that are in use in an epoch: delivered and not at the end of their life.
  Size size(int epoch) const;

  /// Orders GPUs of the newest generation on sale at `epoch`, for use from `first_use` on.
  void order(int epoch, int first_use, double equivalents);
  /// Most equivalents that can be ordered then without passing the caps at `first_use`; infinite without
  /// caps.
  double room(int epoch, int first_use, double kilowatts_per_gpu) const;
  /// Gives GPUs back until `equivalents` are left in `epoch`: of the least gain per dollar first, and of
  /// those the oldest. Orders that are not delivered stay.
  void release(int epoch, double equivalents);

 private:
  struct Cohort {
    std::size_t generation = 0;
    int first_use = 0;
    double gpus = 0;
  };
  std::size_t newest(int epoch) const;
  bool in_use(const Cohort& cohort, int epoch) const;
  Size size_of(const Cohort& cohort) const;

  const GrowthPlan* plan_;
  std::vector<Cohort> cohorts_ = {};  // by first use
};

}  // namespace dspark
