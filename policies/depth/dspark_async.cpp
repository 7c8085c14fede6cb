#include <algorithm>

#include "policies/depth/depth_policy_registry.h"

namespace dspark {

/// DSpark for asynchronous scheduling (paper, section 5.2; merged in vLLM with lag 1, in SGLang with lag 2).
/// The budget K of the step maximises (requests + the K largest survivals of `lag` steps ago) / seconds(K)
/// over *all* K, so that a jagged cost table does not trap it; ties take the smaller K. The current step then
/// admits its K most likely tokens. A request that has not completed `lag` rounds has no survivals in that
/// step and counts as survival 1 for each token of its planned block, as in vLLM; where there was no such
/// step at all, everybody does. Lossless: K is known before the step drafts, and the top K by current
/// survival is a stopping set (LOSSLESS.md).
///
/// The search needs no hull; on one the budget follows the load smoothly instead of the captured sizes.
///
///     policy: {dspark_async: {lag: 2}}
class DsparkAsync final : public DepthPolicy {
 public:
  explicit DsparkAsync(Parameters& parameters)
      : lag_(static_cast<int>(
            parameters.integer("lag", {.min = 1,
                                       .max = 8,
                                       .default_value = 2,
                                       .unit = "steps",
                                       .meaning = "age of the survivals that set the budget"}))),
        form_(parameters.choice("cost", {.options = {"staircase", "hull"},
                                         .default_value = "staircase",
                                         .meaning = "how the cost table is read"}) == "hull"
                  ? CostForm::kHull
                  : CostForm::kStaircase) {}

  PolicyTraits traits() const override { return {.history = lag_}; }

  void choose(const Step& step, SurvivalFrontier& frontier) override {
    frontier.admit_best(budget(step) - frontier.total_admitted());
  }

 private:
  int budget(const Step& step) const {
    const EarlierStep earlier = step.earlier(lag_);
    int planned = 0;
    int unknown = 0;  // planned tokens of requests without a survival in that step
    for (std::size_t r = 0; r < step.planned.size(); ++r) {
      planned += step.planned[r];
      if (earlier.requests == 0 || step.request.rounds[r] < lag_) unknown += step.planned[r];
    }
    const int known = static_cast<int>(earlier.survival.size());
    const int largest = std::min(planned, unknown + known);
    double tokens = step.requests();  // one bonus token each
    double best = tokens / step.seconds(0, form_);
    int budget = 0;
    for (int k = 1; k <= largest; ++k) {
      tokens += k <= unknown
                    ? 1.0
                    : static_cast<double>(earlier.survival[static_cast<std::size_t>(k - unknown - 1)]);
      const double rate = tokens / step.seconds(k, form_);
      if (rate > best) {
        best = rate;
        budget = k;
      }
    }
    return budget;
  }

  int lag_;
  CostForm form_;
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<DsparkAsync>(Parameters&);

}  // namespace dspark
