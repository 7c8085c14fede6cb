#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "policies/parameters.h"

namespace dspark {

constexpr std::size_t kMaxPoints = 100'000;

struct AxisPath {
  std::string text;  // dotted
  std::vector<std::string> keys;
  Position position = {};
};

/// One axis takes one value at one point.
struct Assignment {
  std::size_t axis = 0;  // index into SweepAxes::axes
  const Value* value = nullptr;
};

/// What `sweep:` says: the points, each a list of assignments to the tree. They point into the sweep's Value.
struct SweepAxes {
  std::vector<AxisPath> axes;
  std::vector<std::vector<Assignment>> points;
};

/// Expands a sweep: the product of its blocks, the first varying slowest.
///
///     sweep:
///       grid: {policy: [none, dspark], workload.arrivals.closed_loop.users: [1, 8]}   # every combination
///       zip: {engine.max_num_seqs: [64, 128], stop.requests: [500, 1000]}             # side by side
///       list: [{policy: none}, {policy: dspark}]                                      # as written
///
/// Without a sweep: one point, no axes. Adds every error found to `errors`.
SweepAxes read_sweep(const Value* sweep, Errors& errors);

}  // namespace dspark
