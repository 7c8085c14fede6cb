#include <algorithm>
#include <cmath>
#include <vector>

#include "policies/depth/depth_policy_registry.h"

namespace dspark {

/// GammaTune (arXiv 2504.00030): the k of a request follows the tokens A that its last round accepted. Where
/// all that was drafted is accepted, k ← A + 2; else a moving average g ← 0.7·g + 0.3·A, kept within k_min ..
/// k_max, gives k ← ⌈g⌉. Bounds 1..10 and the start 3 as published; rule and numbers are from a
/// transcription, not from the authors' code. A jump leaves g where it is, so that one lucky round is soon
/// forgotten. The publication serves one request; ours has k and g by request, new for each. A request that
/// rejoins after a preemption is new. Lossless: k is known before anything is drawn, and history is always
/// safe.
///
///     policy: {gamma_tune: {initial_k: 3, decay: 0.7}}
class GammaTune final : public DepthPolicy {
 public:
  explicit GammaTune(Parameters& parameters)
      : initial_k_(tokens(parameters, "initial_k", 3, "k of a new request")),
        k_min_(tokens(parameters, "k_min", 1, "least k")),
        k_max_(tokens(parameters, "k_max", 10, "largest k; the drafter's block size caps it too")),
        jump_(static_cast<int>(parameters.integer(
            "jump",
            {.min = 0,
             .max = 64,
             .default_value = 2,
             .unit = "tokens",
             .meaning = "k is this much above the accepted tokens where all drafted ones were accepted"}))),
        decay_(parameters.number("decay", {.min = 0,
                                           .max = 1,
                                           .default_value = 0.7,
                                           .meaning = "weight of the past in the moving average"})) {
    if (k_min_ > k_max_) parameters.add_error("'k_min' is above 'k_max'", parameters.position_of("k_min"));
    if (initial_k_ < k_min_ || initial_k_ > k_max_) {
      parameters.add_error("'initial_k' is not within 'k_min' .. 'k_max'",
                           parameters.position_of("initial_k"));
    }
  }

  PlanAnswer plan(const PlanView& view, BlockPlan& blocks) override {
    for (int r = 0; r < view.requests(); ++r) {
      const auto row = static_cast<std::size_t>(r);
      State& state = state_of(view.request.id[row]);
      if (view.request.rounds[row] == 0) state = fresh();
      blocks.set(r, std::min(state.k, view.block_size));
    }
    return PlanAnswer::kVerifyAll;
  }

  void observe(const StepOutcome& outcome) override {
    for (std::size_t r = 0; r < outcome.verified.size(); ++r) {
      const int drafted = outcome.drafted[r];
      if (drafted == 0) continue;  // no room for a draft: nothing was tried
      const int accepted = outcome.accepted[r];
      State& state = state_of(outcome.request.id[r]);
      if (accepted == drafted) {
        state.k = std::clamp(accepted + jump_, k_min_, std::max(k_min_, k_max_));
        continue;
      }
      state.average = std::clamp(decay_ * state.average + (1 - decay_) * accepted,
                                 static_cast<double>(k_min_), static_cast<double>(std::max(k_min_, k_max_)));
      state.k = static_cast<int>(std::ceil(state.average));
    }
  }

 private:
  struct State {
    int k = 0;
    double average = 0;  // g
  };

  static int tokens(Parameters& parameters, std::string_view name, int published, std::string_view meaning) {
    return static_cast<int>(parameters.integer(
        name, {.min = 1, .max = 64, .default_value = published, .unit = "tokens", .meaning = meaning}));
  }

  State fresh() const { return {initial_k_, static_cast<double>(initial_k_)}; }

  State& state_of(RequestId id) {
    const auto index = static_cast<std::size_t>(id);
    if (index >= states_.size()) states_.resize(index + 1, fresh());
    return states_[index];
  }

  int initial_k_;
  int k_min_;
  int k_max_;
  int jump_;
  double decay_;
  std::vector<State> states_;  // by request
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<GammaTune>(Parameters&);

}  // namespace dspark
