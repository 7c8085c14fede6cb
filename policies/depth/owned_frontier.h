#pragma once

#include "policies/depth/survival_frontier.h"

namespace dspark {

/// The frontier of whoever holds the drafts: an engine, a test, budgets computed from an earlier step. It is
/// handed to policies as a SurvivalFrontier, on which they cannot call what is added here. No policy's source
/// names this class (tests/architecture_test.py).
class OwnedFrontier : public SurvivalFrontier {
 public:
  OwnedFrontier() = default;

  /// Starts a step. `drafted[r]` is the frontier's end for request r (<= 1023; at most 2^22 - 1 requests).
  /// The columns must outlive the step. A confidence that is not in 0..1 is a broken invariant.
  using SurvivalFrontier::reset;

  /// For `Step::earlier` of later steps; valid until the next `reset`. All survivals above 0 of the step from
  /// the largest, in steps of 2^-21; and all of them by position and request, as in EarlierStep.
  using SurvivalFrontier::sorted_survivals_for_history;
  using SurvivalFrontier::survivals_for_history;
};

}  // namespace dspark
