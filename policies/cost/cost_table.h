#pragma once

#include <string>
#include <vector>

#include "policies/error.h"

namespace dspark {

/// How a table of measured step costs is read.
enum class CostForm {
  kStaircase,  // as measured: a captured size holds up to and including itself
  kHull,  // convex minorant of the captured part, so that a search step by step is not trapped by its jumps
};

/// Measured seconds by size (tokens of a step, or its requests), as serving engines profile them
/// [REFERENCE.md 3]: a ceiling staircase up to the capture limit (a size costs what the next measured size
/// costs); beyond it piecewise linear through the measured sizes, flat from limit + 1 to the first of them,
/// extrapolated past the last with the slope of the last two points (never falling). Sizes below the first
/// measured one cost what that one costs. The hull replaces the staircase up to the capture limit by its
/// largest convex minorant (through measured points) and leaves the part beyond as measured: the cliff at the
/// limit stays.
class CostTable {
 public:
  struct Point {
    double size;     // whole, 1 .. kLargestSize
    double seconds;  // > 0
  };
  static constexpr int kLargestSize = 1 << 20;  // every size up to the last is prepared
  struct Options {
    double capture_limit = 0;      // one of the measured sizes; 0: the largest
    bool running_maximum = false;  // a larger size never costs less than a smaller one
  };

  CostTable() = default;
  /// Refuses tables of fewer than two points, unsorted, not whole, not finite, flat or falling over all: in
  /// two real engines a flat table silently means "verify everything". `name` names the table in errors;
  /// their position is the caller's.
  static Result<CostTable> make(std::vector<Point> points, const Options& options, const std::string& name);

  /// Seconds of a size >= 0; constant time. Not to be asked of a table that was not made.
  double seconds(int size, CostForm form = CostForm::kStaircase) const {
    const std::vector<double>& prepared = form == CostForm::kStaircase ? staircase_ : hull_;
    const std::size_t i = static_cast<std::size_t>(size);
    return i < prepared.size() ? prepared[i] : beyond(size);
  }
  double capture_limit() const { return capture_limit_; }
  /// The measured size that holds `size`, up to the capture limit; `size` itself beyond it.
  int captured_size(int size) const;
  const std::vector<Point>& points() const { return points_; }

 private:
  void prepare_staircase();
  void prepare_hull();
  double beyond(int size) const;

  std::vector<Point> points_;
  double capture_limit_ = 0;
  double slope_beyond_ = 0;        // seconds per token past the last point, >= 0
  std::vector<double> staircase_;  // [size], 0 .. the last measured size
  std::vector<double> hull_;
};

}  // namespace dspark
