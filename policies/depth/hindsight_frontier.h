#pragma once

#include "policies/depth/depth_policy.h"

namespace dspark {

/// The frontier of a rule that anticipates and says so: it is handed all drafts instead of a frontier, and
/// may want their order by survival all the same.
class HindsightFrontier final : public SurvivalFrontier {
 public:
  HindsightFrontier() = default;

  /// Starts a step on the drafts of `view`, which must outlive it.
  void reset(const HindsightView& view) { SurvivalFrontier::reset(view.drafts); }
};

}  // namespace dspark
