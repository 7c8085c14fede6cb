#pragma once

#include <string>
#include <vector>

#include "experiments/results/result_file.h"
#include "policies/error.h"

namespace dspark {

/// Points of A that have the first value of an axis are compared with those of B that have the second. The
/// axis is a column of /points as written: `policy`, `machine.use`.
struct AxisChoice {
  std::string axis;
  std::string a;
  std::string b;
};

struct PointPair {
  std::size_t a = 0;        // row of A's /points
  std::size_t b = 0;        // row of B's
  std::size_t setting = 0;  // index into PairedPoints::settings
};

/// A point without a partner. Points that were not chosen are none of these.
struct LonePoint {
  bool is_of_a = true;
  std::size_t point = 0;  // row of its file's /points
  bool repeated = false;  // its values stand in a pair already: the first of equal points is compared
};

/// Which points of two results are compared: those whose policy as written, and whose values of all other
/// axes, are equal, whatever their number and order in either file. Numbers are equal as numbers. Axes under
/// `policy` are part of the policy as written.
struct PairedPoints {
  std::vector<std::string> axes;                   // of both files but the policy's and the chosen, A's order
  std::vector<std::vector<std::string>> settings;  // their values, each combination once, as they appear in A
  std::vector<PointPair> pairs;                    // in the order of A
  std::vector<LonePoint> lone;                     // of A, then of B
  std::vector<std::string> fixed;                  // "axis=value" of what only one file has and does not vary
};

/// Errors: a chosen axis or value that is not there; an axis that only one file has and that varies; nothing
/// that can be paired, with what either has.
Result<PairedPoints> pair_points(const ResultFile& a, const ResultFile& b,
                                 const std::vector<AxisChoice>& choices);

}  // namespace dspark
