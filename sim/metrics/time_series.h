#pragma once

#include <vector>

#include "sim/engine/watcher.h"
#include "sim/scenario.h"

namespace dspark {

/// The run by windows of virtual time. Starts with windows of 1/16 s; where more than 128 are needed,
/// neighbours merge and the width doubles, so memory is constant and the windows are the same on every run.
class TimeSeries {
 public:
  /// A step counts in the window in which it ends.
  void add(const StepRecord& step);
  /// A first token that was computed elsewhere.
  void add_token(VirtualTime now);
  /// Up to `end`, where the last window is cut.
  std::vector<SeriesWindow> windows(VirtualTime end) const;

 private:
  static constexpr std::size_t kMostWindows = 128;
  struct Sums {
    double steps = 0, tokens = 0, running = 0, waiting = 0, verified = 0, decode_rows = 0, rows = 0;
  };

  Sums& window_at(VirtualTime time);

  VirtualTime width_ = 62'500'000;
  std::vector<Sums> sums_;
};

}  // namespace dspark
