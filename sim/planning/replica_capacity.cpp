#include "sim/planning/replica_capacity.h"

#include <cmath>

#include "policies/elementary.h"
#include "policies/invariant.h"

namespace dspark {

double LoadGrid::load(int index) const { return exp_portable(index * log_portable(1 + resolution)); }

int LoadGrid::index_below(double load) const {
  int index = static_cast<int>(std::floor(log_portable(load) / log_portable(1 + resolution)));
  while (this->load(index + 1) <= load) ++index;
  while (this->load(index) > load) --index;
  return index;
}

CapacitySearch::CapacitySearch(const LoadGrid& grid, double saturation, double utilization) : grid_(grid) {
  if (saturation <= 0) {
    upper_ = 0, lower_ = -1, bottom_ = 0, top_ = -1;  // done, infeasible
    return;
  }
  top_ = grid.index_below(saturation * utilization);
  bottom_ = grid.index_below(saturation * kLowestShare);
  lower_ = bottom_ - 1;
  upper_ = top_ + 1;
}

int CapacitySearch::next() const {
  DSPARK_INVARIANT(!done());
  // Limits mostly bind in the upper half of the loads.
  if (lower_ == bottom_ - 1 && upper_ == top_ + 1) return lower_ + (upper_ - lower_) * 3 / 4;
  return lower_ + (upper_ - lower_) / 2;
}

void CapacitySearch::note(int index, bool met) {
  DSPARK_INVARIANT(index > lower_ && index < upper_);
  (met ? lower_ : upper_) = index;
}

int CapacitySearch::most_tests() const {
  int tests = 1;
  for (int width = top_ - bottom_ + 2; width > 1; width = (width + 1) / 2) ++tests;
  return tests;
}

}  // namespace dspark
