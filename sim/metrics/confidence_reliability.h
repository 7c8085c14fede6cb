#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/engine/watcher.h"
#include "sim/scenario.h"

namespace dspark {

/// Confidence against outcome, in 20 bins of equal width on 0..1, over the draft tokens whose outcome is
/// known: the verified ones up to the first rejection, in rounds that no reply's end may cut.
///
/// Confidences are summed in steps of 2^-24 (rounded down), so that a sum does not depend on its order.
class ConfidenceReliability {
 public:
  void add(const StepRecord& step);

  std::int64_t labels() const;
  /// Mean over labels of |mean confidence - accepted share| of their bin (ECE, Guo et al. 2017); 0 without
  /// labels.
  double expected_calibration_error() const;
  /// Bins that hold labels, in ascending order.
  std::vector<ReliabilityBin> bins() const;

 private:
  void add_block(const StepRecord& step, std::size_t first_row, std::size_t rows, std::size_t first_position,
                 std::size_t positions);

  static constexpr int kBins = 20;
  struct Bin {
    std::int64_t count = 0;
    std::int64_t accepted = 0;
    std::int64_t confidence = 0;  // in steps of 2^-24
  };
  std::array<Bin, kBins> bins_;
};

}  // namespace dspark
