#pragma once

#include <span>

#include "policies/depth/depth_policy.h"

namespace dspark {

/// Turns what a drafter says into the confidences that depth policies see. A runner calls `apply` on the
/// columns of a step after drafting and puts the result in the place of the raw confidences; after the step
/// it calls `observe`. Implementations: TemperatureCalibration (fitted offline), MarginEstimator (learns
/// online, for drafters without a confidence head).
///
/// Keeps policies lossless: position k's result may depend on signals known before x_k is drawn, of the same
/// request and position only, and on earlier steps (LOSSLESS.md). One object serves one replica; calls come
/// in order, from one thread.
class ConfidenceCalibration {
 public:
  virtual ~ConfidenceCalibration() = default;

  /// SignalSet: the columns beside `raw.confidence` that `apply` and `observe` read.
  virtual unsigned signals() const { return kConfidenceOnly; }

  /// raw: columns of the step, requests = raw.drafted.size() <= raw.stride.
  /// depth: positions 1..depth of the columns are filled; >= 0.
  /// confidence: (depth, raw.stride), laid out as raw.confidence, at least depth * stride; may be the same
  /// memory as raw.confidence. Every entry of a request becomes a number in 0..1; positions past drafted[r]
  /// become 0.
  virtual void apply(const DraftColumns& raw, int depth, std::span<float> confidence) const = 0;

  /// What a finished step showed. Verified positions only; default: nothing is learned.
  virtual void observe(const StepOutcome&) {}
};

}  // namespace dspark
