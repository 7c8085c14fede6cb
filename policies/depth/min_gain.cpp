#include <algorithm>

#include "policies/depth/lagged_survivals.h"
#include "policies/depth/policy_wrapper.h"

namespace dspark {

/// A dead band around verifying everything (SGLang `min_predicted_gain`, xLLM `min_gain`; POLICIES.md 2.2,
/// 2.4): the cut of the policy inside is kept only if its predicted gain is at least `gain`, otherwise
/// everything drafted is verified. With n tokens admitted by the policy inside and N planned, the prediction
/// is
///
///     (requests + the n largest survivals) / seconds(n)  over  (requests + all survivals) / seconds(N)
///
/// with the survivals of `lag` steps before: this step's unknown tokens must not decide about themselves. A
/// request without a survival in that step counts as survival 1 for each planned token. Without an earlier
/// step the cut is kept.
///
/// A request that the policy inside has closed with `skip` stays closed. A policy that answers in `plan`
/// verifies all that it drafts and is left alone.
///
/// Lossless where the policy inside is: how much it admitted is known from the admitted draws, and everything
/// is a stopping set as well.
///
///     policy: {min_gain: {gain: 0.02, policy: dspark_async}}
class MinGain final : public PolicyWrapper {
 public:
  explicit MinGain(Parameters& parameters)
      : PolicyWrapper(parameters),
        gain_(parameters.number("gain", {.min = 0,
                                         .max = 10,
                                         .default_value = 0.02,
                                         .meaning = "least relative gain in tokens per second, predicted, "
                                                    "for which a cut is kept"})),
        lag_(static_cast<int>(
            parameters.integer("lag", {.min = 1,
                                       .max = 8,
                                       .default_value = 1,
                                       .unit = "steps",
                                       .meaning = "age of the survivals that predict the gain"}))) {}

  PolicyTraits traits() const override {
    PolicyTraits traits = inner().traits();
    traits.history = std::max(traits.history, lag_);
    return traits;
  }

  void choose(const Step& step, SurvivalFrontier& frontier) override {
    inner().choose(step, frontier);
    if (!pays(step, frontier.total_admitted())) frontier.admit_all();
  }

  void choose_in_hindsight(const HindsightView& view, std::span<int> verification_length) override {
    inner().choose_in_hindsight(view, verification_length);
    int admitted = 0;
    for (const int length : verification_length) admitted += length;
    if (pays(view.step, admitted)) return;
    std::copy(view.drafts.drafted.begin(), view.drafts.drafted.end(), verification_length.begin());
  }

 private:
  bool pays(const Step& step, int admitted) {
    if (step.earlier(lag_).longest_block() == 0) return true;
    then_.read(step, lag_);
    int planned = 0;
    for (const int k : step.planned) planned += k;
    double cut = step.requests();  // one bonus token each
    double everything = step.requests();
    int n = 0;
    for (const float survival : then_.sorted()) {
      everything += static_cast<double>(survival);
      if (n++ < admitted) cut += static_cast<double>(survival);
    }
    return cut / step.seconds(admitted) >= (1 + gain_) * everything / step.seconds(planned);
  }

  double gain_;
  int lag_;
  LaggedSurvivals then_;
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<MinGain>(Parameters&);

}  // namespace dspark
