#include <algorithm>

#include "policies/depth/depth_policy_registry.h"

namespace dspark {
namespace {

/// Stops once some token before the one just drawn was probably rejected.
class RejectionThreshold final : public DraftStop {
 public:
  RejectionThreshold(double threshold, int k_min) : threshold_(threshold), k_min_(k_min) {}
  int k_min() const { return k_min_; }

  bool keep_drafting(const DraftedToken& token) const override {
    return token.position < k_min_ || 1 - token.survival_before <= threshold_;
  }

 private:
  double threshold_;
  int k_min_;
};

}  // namespace

/// SpecDec++ (arXiv 2405.19715): stop drafting when the probability that a draft token is rejected exceeds a
/// threshold h, 1 - c_1·…·c_{k-1} > h, after x_k was drawn. The paper derives the threshold form from a
/// Markov decision process; its theorem 3.1 gives a sufficient condition only. As in the authors' code
/// (Kaffaljidhmah2/SpecDec_pp) the head scores tokens one step late: the just drawn x_k is unscored, hence
/// the product ends at k - 1, and x_k is submitted. Defaults are those of their benchmark, h = 0.3 and 2..20
/// tokens; their sample.py has h = 0.7. Here c is the confidence head, which knows x_{k-1} but not x_k;
/// theirs is a trained 3-layer head on the drafted token's hidden state, a better judge of the same event.
/// Lossless: every drawn token is submitted, its successors were not drawn.
///
///     policy: {spec_dec_plus_plus: {h: 0.3, k_min: 2, k_max: 20}}
class SpecDecPlusPlus final : public DepthPolicy {
 public:
  explicit SpecDecPlusPlus(Parameters& parameters)
      : stop_{parameters.number("h", {.min = 0,
                                      .max = 1,
                                      .default_value = 0.3,
                                      .meaning = "drafting stops where the probability of a rejection so far "
                                                 "exceeds it"}),
              static_cast<int>(
                  parameters.integer("k_min", {.min = 1,
                                               .max = 64,
                                               .default_value = 2,
                                               .unit = "tokens",
                                               .meaning = "tokens drafted whatever the confidence"}))},
        k_max_(static_cast<int>(parameters.integer(
            "k_max", {.min = 1,
                      .max = 64,
                      .default_value = 20,
                      .unit = "tokens",
                      .meaning = "largest block; the drafter's block size caps it too"}))) {
    if (stop_.k_min() > k_max_) {
      parameters.add_error("'k_min' is above 'k_max'", parameters.position_of("k_min"));
    }
  }

  PlanAnswer plan(const PlanView& view, BlockPlan& blocks) override {
    blocks.set_all(std::min(k_max_, view.block_size));
    return PlanAnswer::kVerifyAll;
  }

  const DraftStop* draft_stop() const override { return &stop_; }

 private:
  RejectionThreshold stop_;
  int k_max_;
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<SpecDecPlusPlus>(Parameters&);

}  // namespace dspark
