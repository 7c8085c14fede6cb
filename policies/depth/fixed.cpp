#include "policies/depth/depth_policy_registry.h"

namespace dspark {

/// k draft tokens for every request, whatever the load: speculative decoding as first published (Leviathan et
/// al. 2023; vLLM `num_speculative_tokens`). A drafter whose block is smaller than k is refused; all that is
/// drafted is verified. Lossless: the depth is known before anything is drawn.
///
///     policy: fixed:3
class Fixed final : public DepthPolicy {
 public:
  explicit Fixed(Parameters& parameters)
      : k_(static_cast<int>(parameters.integer(
            "k", {.min = 0, .max = 64, .unit = "tokens", .meaning = "draft tokens verified per request"}))) {}

  PolicyTraits traits() const override { return {.deepest = k_}; }

  PlanAnswer plan(const PlanView&, BlockPlan& blocks) override {
    blocks.set_all(k_);
    return PlanAnswer::kVerifyAll;
  }

 private:
  int k_;
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<Fixed>(Parameters&);

}  // namespace dspark
