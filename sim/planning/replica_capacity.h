#pragma once

#include <cstdint>
#include <optional>

#include "sim/planning/sequential_test.h"

namespace dspark {

/// Series of random draws: those of the search, + index of the load, and those of checks, + number of the
/// check.
constexpr int kSearchSeries = 1 << 16;
constexpr int kCheckSeries = 1 << 18;

/// One replica of a candidate under traffic: what the search interrogates. Replicas are independent, traffic
/// is split between them at random; a router that looks at queues would be another model.
class ReplicaModel {
 public:
  virtual ~ReplicaModel() = default;
  /// Requests/s that a replica which never waits for requests finishes: no load above it lasts. 0: it can
  /// serve nothing (then `observe` at any load says why). Nothing: interrupted.
  virtual std::optional<double> saturation() const = 0;
  /// One replication at a load in requests/s. `series`, 0 .. 2^19: its own random draws, the
  /// same for all candidates. One test of a model at a time.
  virtual std::optional<ReplicaObservation> observe(double load, int series, int replication) const = 0;
  /// The observations so far are worth keeping.
  virtual void end_test() const {}
};

/// Loads that capacities are told in: (1 + resolution)^index requests/s, the same for all candidates, so that
/// they share arrivals.
struct LoadGrid {
  double resolution = 0.02;
  double load(int index) const;
  /// The largest index with load(index) <= load.
  int index_below(double load) const;
};

/// Bisection for the largest load of the grid that meets the limits, between kLowestShare of the saturation
/// throughput and `utilization` of it: nearer to saturation queues grow for longer than any run shows. Its
/// result always lies in [lower(), upper()), so whoever needs only a bound may stop early: the result is the
/// same for any order in which candidates are refined.
class CapacitySearch {
 public:
  static constexpr double kLowestShare = 1.0 / 64;

  CapacitySearch(const LoadGrid& grid, double saturation, double utilization = 1);

  bool done() const { return upper_ - lower_ == 1; }
  /// Done, and no load of the grid meets the limits.
  bool infeasible() const { return done() && lower_ < bottom_; }
  /// The index of the load to be tested next. Not done.
  int next() const;
  void note(int index, bool met);

  int bottom() const { return bottom_; }
  /// The upper end of the bracket: not met, or above the saturation throughput.
  int upper() const { return upper_; }
  /// Largest load known to meet the limits; 0: none.
  double largest_met() const { return lower_ < bottom_ ? 0 : grid_.load(lower_); }
  /// The result is at most this; 0: none.
  double bound() const { return upper_ - 1 < bottom_ ? 0 : grid_.load(upper_ - 1); }
  /// Tests that a search takes at most: the level of each is the level of the capacity over this.
  int most_tests() const;

 private:
  LoadGrid grid_;
  int bottom_ = 0;
  int lower_ = 0;  // met, or below the bottom
  int upper_ = 0;  // not met
  int top_ = 0;
};

}  // namespace dspark
