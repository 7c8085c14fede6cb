#include <algorithm>
#include <cmath>

#include "policies/depth/depth_policy_registry.h"

namespace dspark {
namespace {

/// √(β·H(q_k)) estimates how much acceptance the entropy of the draft distribution costs.
class EntropyThreshold final : public DraftStop {
 public:
  EntropyThreshold(double threshold, double factor) : threshold_(threshold), factor_(factor) {}

  bool keep_drafting(const DraftedToken& token) const override {
    return std::sqrt(factor_ * token.before.entropy) <= threshold_;
  }

 private:
  double threshold_;
  double factor_;
};

}  // namespace

/// SVIP (arXiv 2411.18462): stop drafting after the token with √(β·H(q_k)) > threshold. As in the authors'
/// code (Geralt-Targaryen/SVIP, eval_specbench.py) β is 0.15, the threshold 0.3, which is H > 0.6 nats, and
/// no block is longer than 40. There is no history: the same distribution always gets the same answer.
/// Lossless: the token that triggered the stop is still submitted, its successors were not drawn.
///
///     policy: {svip: {threshold: 0.3, factor: 0.15}}
class Svip final : public DepthPolicy {
 public:
  explicit Svip(Parameters& parameters)
      : stop_{parameters.number("threshold",
                                {.min = 0,
                                 .max = 10,
                                 .default_value = 0.3,
                                 .meaning = "drafting stops where √(factor · entropy) exceeds it"}),
              parameters.number("factor", {.min = 0,
                                           .max = 10,
                                           .default_value = 0.15,
                                           .unit = "1/nat",
                                           .meaning = "β, factor on the entropy under the root"})},
        k_max_(static_cast<int>(parameters.integer(
            "k_max", {.min = 1,
                      .max = 64,
                      .default_value = 40,
                      .unit = "tokens",
                      .meaning = "largest block; the drafter's block size caps it too"}))) {}

  PolicyTraits traits() const override { return {.signals = kEntropy}; }

  PlanAnswer plan(const PlanView& view, BlockPlan& blocks) override {
    blocks.set_all(std::min(k_max_, view.block_size));
    return PlanAnswer::kVerifyAll;
  }

  const DraftStop* draft_stop() const override { return &stop_; }

 private:
  EntropyThreshold stop_;
  int k_max_;
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<Svip>(Parameters&);

}  // namespace dspark
