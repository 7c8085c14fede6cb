#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "executor/drafter/draft_buffer.h"
#include "executor/runner/packed_step.h"
#include "kernels/kernels.h"

namespace dspark {

/// A draft probability below this counts as this: a reduced draft vocabulary leaves tokens out altogether,
/// whose divergence would be infinite.
constexpr double kLeastDraftProbability = 1e-10;

/// KL(target ‖ draft) = Σ p ln(p / q), nats, in f64 over rising ids. Both of one length; q as above.
double divergence(std::span<const float> target, std::span<const float> draft);

/// The divergence of each draft that a step submits, for policies that read it (signal kDivergence): of the
/// distributions by soft_rule, whatever was drawn, cut or chosen greedily.
class RoundDivergence {
 public:
  /// logits: (logit rows of the step, vocabulary) of the target, left as they are. soft: the drafter's
  /// distributions, (entries, vocabulary), row as in the blocks' columns. Nothing is computed for positions
  /// that are not submitted.
  void compute(Kernels& kernels, const PackedStep& step, View<const float, 2> logits,
               View<const float, 2> soft);
  void clear() { column_.clear(); }
  /// (entries) as in DraftColumns; empty where there was none to compute.
  std::span<const float> column() const { return column_; }

 private:
  DraftBuffer target_;  // one round's
  std::vector<SamplingRule> rules_;
  std::vector<float> of_target_, of_draft_;  // host, (vocabulary)
  std::vector<float> column_;
};

}  // namespace dspark
