#pragma once

#include <cstdint>
#include <vector>

#include "policies/calibration/confidence_calibration.h"

namespace dspark {

/// The confidence of who knows nothing of the draft: how often position k was accepted where those before it
/// were, over all rounds so far. It tells no request from another, so that what policies gain over it is what
/// a drafter's signal is worth.
///
///     c_k = (accepted_k + 20 · 0.82) / (observed_k + 20)
///
/// It begins optimistic, as MarginEstimator does, so that policies try every position; as there, cuts do not
/// bias what is learned. Lossless: it comes from earlier steps alone.
class AcceptanceByPosition final : public ConfidenceCalibration {
 public:
  /// block_size: γ >= 1.
  explicit AcceptanceByPosition(int block_size);

  void apply(const DraftColumns& raw, int depth, std::span<float> confidence) const override;
  void observe(const StepOutcome& outcome) override;

  /// c_k; positions past γ are the last.
  double confidence(int k) const;

 private:
  std::vector<std::int64_t> observed_, accepted_;  // (γ)
};

}  // namespace dspark
