#pragma once

#include <functional>
#include <span>
#include <vector>

#include "executor/profile/profile_grid.h"

namespace dspark {

/// What repeats of one measurement gave.
struct RepeatedSeconds {
  double median = 0;
  double minimum = 0;
  double noise = 0;  // 1.4826 · median absolute deviation / median: the standard deviation of normal noise
  int repeats = 0;
};
/// samples: at least one, above 0. The median of an even number is the mean of the two in the middle.
RepeatedSeconds summarise(std::vector<double> samples);

/// A grid, measured.
struct GridMeasurement {
  std::vector<RepeatedSeconds> points;
  double drift = 0;  // of the first point, measured before and after all others: last / first - 1
};

/// Measures all points once to warm up, then `repeats` times, round after round over all of them, so that a
/// machine that becomes slower does so for every point. `measure` gives a point's seconds. `progress`: told
/// of finished measurements out of all; may be empty.
GridMeasurement measure_grid(std::span<const ProfilePoint> points, int repeats,
                             const std::function<double(const ProfilePoint&)>& measure,
                             const std::function<void(int done, int of)>& progress);

}  // namespace dspark
