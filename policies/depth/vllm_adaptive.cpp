#include "policies/depth/depth_policy_registry.h"
#include "policies/depth/lagged_survivals.h"

namespace dspark {

/// vLLM's adaptive verification (PR 47808, merged; REFERENCE.md section 3): the budget is
///
///     B* = argmax_B (requests that sample + the B largest survivals) / seconds(all other tokens + B)
///
/// over all B, ties to the smaller, with the raw confidences of the round before the drafts that are being
/// verified (`lag` 1). The split of B* is by the current survivals. A request without a survival in that
/// round counts as survival 1 for each token of its planned block. Requests in prefill do not sample, so the
/// numerator leaves them out; their prompt rows are among the other tokens and make the step dearer. Unlike
/// `dspark_async`, requests that have left since do not count: they are matched by id.
///
/// What differs from the source: the price includes the step's overhead, where vLLM adds a draft and a
/// verify table only; drafting is priced for the requests that draft, where vLLM counts those in prefill too;
/// a prompt's last chunk counts as prefill, although it samples a token; and the budget has no cap by the
/// sampler's chunk of logits. Survivals are resolved to 2^-21.
///
/// Lossless: B* is known before the step drafts, and the top B* by current survival is a stopping set
/// (LOSSLESS.md).
///
///     policy: vllm_adaptive
///     policy: {vllm_adaptive: {lag: 2}}
class VllmAdaptive final : public DepthPolicy {
 public:
  explicit VllmAdaptive(Parameters& parameters)
      : lag_(static_cast<int>(
            parameters.integer("lag", {.min = 1,
                                       .max = 8,
                                       .default_value = 1,
                                       .unit = "steps",
                                       .meaning = "age of the survivals that set the budget"}))) {}

  PolicyTraits traits() const override { return {.history = lag_}; }

  void choose(const Step& step, SurvivalFrontier& frontier) override {
    then_.read(step, lag_);
    frontier.admit_best(budget(step) - frontier.total_admitted());
  }

 private:
  int budget(const Step& step) const {
    double tokens = step.requests();  // one bonus token each
    double best = tokens / step.seconds(0);
    int best_budget = 0;
    int admitted = 0;
    for (const float survival : then_.sorted()) {
      tokens += static_cast<double>(survival);
      const double rate = tokens / step.seconds(++admitted);
      if (rate > best) {
        best = rate;
        best_budget = admitted;
      }
    }
    return best_budget;
  }

  int lag_;
  LaggedSurvivals then_;
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<VllmAdaptive>(Parameters&);

}  // namespace dspark
