#include "policies/depth/depth_policy_registry.h"

namespace dspark {

/// No speculation: every request gets one token per step, and no drafter is loaded, so none is idle either.
/// The baseline of every published speed-up. Lossless: nothing is submitted.
///
///     policy: none
class None final : public DepthPolicy {
 public:
  explicit None(Parameters&) {}

  PolicyTraits traits() const override { return {.uses_drafter = false}; }
  PlanAnswer plan(const PlanView&, BlockPlan& blocks) override {
    blocks.set_all(0);
    return PlanAnswer::kVerifyAll;
  }
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<None>(Parameters&);

}  // namespace dspark
