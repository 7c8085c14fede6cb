#include <algorithm>
#include <cmath>

#include "policies/depth/depth_policy_registry.h"

namespace dspark {
namespace {

/// The entropy H(q_k) of the draft distribution bounds the acceptance of its token from below by 1 - √(γ·H).
class EntropyStop final : public DraftStop {
 public:
  EntropyStop(double gamma, int k_min) : gamma_(gamma), k_min_(k_min) {}
  int k_min() const { return k_min_; }

  bool keep_drafting(const DraftedToken& token) const override {
    return token.position < k_min_ || 1 - std::sqrt(gamma_ * token.before.entropy) >= lambda;
  }

  double lambda = 0;

 private:
  double gamma_;
  int k_min_;
};

}  // namespace

/// AdaEDL (arXiv 2410.18351): stop drafting after the token whose entropy bounds acceptance too low,
/// 1 - √(γ·H(q_k)) < λ. λ follows the observed acceptance r ← β1·r + (1 - β1)·accepted/verified: up by ε
/// where r is below the target, down by ε otherwise, smoothed by β2. Implementations differ in whether λ also
/// falls when every request drafted all it might (`hold_at_full_length`: then there is nothing to gain).
/// Ours: one λ and r for the batch, r starts at the target, λ stays in 0..1. Lossless: the token that
/// triggered the stop is still submitted, its successors were not drawn, and λ is history.
///
///     policy: {adaedl: {gamma: 0.2, target: 0.9}}
class Adaedl final : public DepthPolicy {
 public:
  explicit Adaedl(Parameters& parameters)
      : k_max_(static_cast<int>(
            parameters.integer("k_max", {.min = 1,
                                         .max = 64,
                                         .default_value = 16,
                                         .unit = "tokens",
                                         .meaning = "largest block; the drafter's block size caps it too"}))),
        target_(share(parameters, "target", 0.9, "acceptance that the threshold steers towards")),
        epsilon_(share(parameters, "epsilon", 0.01, "step of the threshold")),
        beta1_(share(parameters, "beta1", 0.5, "weight of the past in the observed acceptance")),
        beta2_(share(parameters, "beta2", 0.9, "weight of the past in the threshold")),
        hold_at_full_length_(parameters.flag(
            "hold_at_full_length",
            {.default_value = true,
             .meaning = "do not lower the threshold when every block reached its largest size"})),
        acceptance_(target_),
        stop_{parameters.number("gamma", {.min = 0,
                                          .max = 10,
                                          .default_value = 0.2,
                                          .unit = "1/nat",
                                          .meaning = "factor on the entropy in the acceptance bound"}),
              static_cast<int>(
                  parameters.integer("k_min", {.min = 1,
                                               .max = 64,
                                               .default_value = 1,
                                               .unit = "tokens",
                                               .meaning = "tokens drafted whatever the entropy"}))} {
    if (stop_.k_min() > k_max_) {
      parameters.add_error("'k_min' is above 'k_max'", parameters.position_of("k_min"));
    }
    stop_.lambda = share(parameters, "lambda", 0.5, "first threshold on the acceptance bound");
  }

  PolicyTraits traits() const override { return {.signals = kEntropy}; }

  PlanAnswer plan(const PlanView& view, BlockPlan& blocks) override {
    largest_block_ = std::min(k_max_, view.block_size);
    blocks.set_all(largest_block_);
    return PlanAnswer::kVerifyAll;
  }

  const DraftStop* draft_stop() const override { return &stop_; }

  void observe(const StepOutcome& outcome) override {
    double accepted = 0;
    double verified = 0;
    bool full_length = true;
    for (std::size_t r = 0; r < outcome.verified.size(); ++r) {
      accepted += outcome.accepted[r];
      verified += outcome.verified[r];
      full_length &= outcome.drafted[r] >= std::min(largest_block_, outcome.request.block_cap[r]);
    }
    if (verified == 0) return;
    acceptance_ = beta1_ * acceptance_ + (1 - beta1_) * accepted / verified;
    double moved = stop_.lambda;
    if (acceptance_ < target_) {
      moved += epsilon_;
    } else if (!(full_length && hold_at_full_length_)) {
      moved -= epsilon_;
    }
    stop_.lambda = std::clamp(beta2_ * stop_.lambda + (1 - beta2_) * moved, 0.0, 1.0);
  }

 private:
  static double share(Parameters& parameters, std::string_view name, double published,
                      std::string_view meaning) {
    return parameters.number(name, {.min = 0, .max = 1, .default_value = published, .meaning = meaning});
  }

  int k_max_;
  double target_;
  double epsilon_;
  double beta1_;
  double beta2_;
  bool hold_at_full_length_;
  double acceptance_;  // r
  int largest_block_ = 0;
  EntropyStop stop_;
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<Adaedl>(Parameters&);

}  // namespace dspark
