#include <algorithm>

#include "policies/depth/depth_policy_registry.h"

namespace dspark {

/// SmartSpec, later TurboSpec (Liu et al., arXiv 2406.14066): one k for the whole batch, the one with the
/// largest goodput requests · EAL(k, α) / seconds(k), where EAL(k, α) = 1 + α + … + α^k is the expected
/// tokens of a round when every draft token is accepted with probability α. As in the authors' code k is
/// computed anew every `update_every` steps, k = 0 has a bonus ("conservative"), and the scan over k stops at
/// the first fall of goodput, which is a trap where the first draft token is dear: `stop_at_first_fall:
/// false` searches all k. While k is 0 nothing is observed and α rests. The first α is ours; the publication
/// names none. Lossless: the depth is known before anything is drawn, and history is always safe.
///
///     policy: {smart_spec: {decay: 0.85, update_every: 20}}
class SmartSpec final : public DepthPolicy {
 public:
  explicit SmartSpec(Parameters& parameters)
      : decay_(parameters.number("decay",
                                 {.min = 0,
                                  .max = 1,
                                  .default_value = 0.85,
                                  .meaning = "weight of the past in the moving average of acceptance"})),
        update_every_(parameters.integer("update_every", {.min = 1,
                                                          .max = 1'000'000,
                                                          .default_value = 20,
                                                          .unit = "steps",
                                                          .meaning = "steps between two computations of k"})),
        zero_bonus_(parameters.number(
            "zero_bonus",
            {.min = 0, .max = 100, .default_value = 1.1, .meaning = "factor on the goodput of k = 0"})),
        max_k_(static_cast<int>(
            parameters.integer("max_k", {.min = 0,
                                         .max = 64,
                                         .default_value = 64,
                                         .unit = "tokens",
                                         .meaning = "largest k; the drafter's block size caps it too"}))),
        acceptance_(parameters.number("initial_acceptance",
                                      {.min = 0,
                                       .max = 1,
                                       .default_value = 0.7,
                                       .meaning = "acceptance believed before the first step"})),
        stop_at_first_fall_(
            parameters.flag("stop_at_first_fall", {.default_value = true,
                                                   .meaning = "end the scan over k where goodput "
                                                              "first falls, as the authors' code does"})) {}

  PlanAnswer plan(const PlanView& view, BlockPlan& blocks) override {
    if (view.step >= next_update_) {
      k_ = best_k(view);
      next_update_ = view.step + update_every_;
    }
    blocks.set_all(std::min(k_, view.block_size));
    return PlanAnswer::kVerifyAll;
  }

  /// Acceptance of the round is accepted / (accepted + rejections seen): what comes after a rejection was
  /// never tried, so counting it (accepted / verified) would make α fall with k and the formula wrong at
  /// every k but one.
  void observe(const StepOutcome& outcome) override {
    int accepted = 0;
    int rejected = 0;
    for (std::size_t r = 0; r < outcome.verified.size(); ++r) {
      accepted += outcome.accepted[r];
      rejected += outcome.accepted[r] < outcome.verified[r];
    }
    if (accepted + rejected == 0) return;
    acceptance_ = decay_ * acceptance_ + (1 - decay_) * accepted / (accepted + rejected);
  }

 private:
  int best_k(const PlanView& view) const {
    double tokens = 1;  // per request and step: EAL(k, α)
    double power = 1;
    double best = zero_bonus_ / view.seconds(0);
    double previous = best;
    int best_k = 0;
    for (int k = 1; k <= std::min(max_k_, view.block_size); ++k) {
      power *= acceptance_;
      tokens += power;
      const double goodput = tokens / view.seconds(k);
      if (stop_at_first_fall_ && goodput < previous) break;
      if (goodput > best) {
        best = goodput;
        best_k = k;
      }
      previous = goodput;
    }
    return best_k;
  }

  double decay_;
  std::int64_t update_every_;
  double zero_bonus_;
  int max_k_;
  double acceptance_;  // α
  bool stop_at_first_fall_;
  int k_ = 0;
  std::int64_t next_update_ = 0;  // step
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<SmartSpec>(Parameters&);

}  // namespace dspark
