#pragma once

#include <span>
#include <vector>

#include "executor/runner/packed_step.h"
#include "kernels/kernels.h"

namespace dspark {

/// 1 - ½‖p_d - p_t‖₁ = Σ min(p_d, p_t): how likely speculative sampling accepts a token drawn from `draft`.
/// Both of one length; in f64 over rising ids, 0..1.
double true_acceptance(std::span<const float> target, std::span<const float> draft);

/// The true acceptance of each draft that a step submits, for recordings: of the distributions that are drawn
/// from, by the request's own sampling rule. Greedy requests have none.
class RoundAcceptance {
 public:
  /// target: (logit rows of the step, vocabulary) probabilities. draft: those of the submitted drafts,
  /// (submitted drafts of the step, vocabulary), or empty where drafts are certain (p_d = 1).
  void compute(Kernels& kernels, const PackedStep& step, View<const float, 2> target,
               View<const float, 2> draft, std::size_t entries);
  void clear() { column_.clear(); }
  /// (entries) as in DraftColumns, NaN where not known; empty where nothing was computed.
  std::span<const float> column() const { return column_; }

 private:
  std::vector<float> of_target_, of_draft_;  // host, (vocabulary)
  std::vector<float> column_;
};

}  // namespace dspark
