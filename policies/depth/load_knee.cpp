#include <algorithm>
#include <memory>

#include "policies/depth/depth_policy_registry.h"

namespace dspark {

/// k for every request below a batch size, another policy from it on (local-inference-lab/vllm 107): with few
/// requests a step has rows to spare and a decision costs more than it saves; beyond the knee of the load
/// curve each verified row counts. Below the knee it does exactly what `fixed` does, and the policy inside
/// only observes. There is no default knee: it belongs to a machine.
///
/// Just above the knee a budget from earlier steps knows the first k survivals of each request only.
///
/// Lossless where the policy inside is: the number of requests is known before anything is drawn.
///
///     policy: {load_knee: {requests: 32, k: 5, policy: dspark_async}}
class LoadKnee final : public DepthPolicy {
 public:
  explicit LoadKnee(Parameters& parameters)
      : knee_(static_cast<int>(
            parameters.integer("requests", {.min = 1,
                                            .max = 1 << 20,
                                            .unit = "requests",
                                            .meaning = "from so many on, the policy inside decides"}))),
        k_(static_cast<int>(
            parameters.integer("k", {.min = 0,
                                     .max = 64,
                                     .unit = "tokens",
                                     .meaning = "draft tokens per request verified below that"}))) {
    Selection selection =
        parameters.one_of("policy", depth_policy_names(), "the policy from the knee on", "dspark_async");
    inner_ = make_depth_policy(selection.name, selection.parameters);
  }

  PolicyTraits traits() const override {
    PolicyTraits traits = inner_->traits();
    traits.deepest = std::max(traits.deepest, k_);
    traits.uses_drafter |= k_ > 0;
    return traits;
  }

  PlanAnswer plan(const PlanView& view, BlockPlan& blocks) override {
    below_ = view.requests() < knee_;
    if (!below_) return inner_->plan(view, blocks);
    blocks.set_all(k_);
    return PlanAnswer::kVerifyAll;
  }
  /// Asked after `plan`, in each step.
  const DraftStop* draft_stop() const override { return below_ ? nullptr : inner_->draft_stop(); }
  void choose(const Step& step, SurvivalFrontier& frontier) override { inner_->choose(step, frontier); }
  void choose_in_hindsight(const HindsightView& view, std::span<int> verification_length) override {
    inner_->choose_in_hindsight(view, verification_length);
  }
  void observe(const StepOutcome& outcome) override { inner_->observe(outcome); }

 private:
  int knee_;
  int k_;
  std::unique_ptr<DepthPolicy> inner_;
  bool below_ = false;
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<LoadKnee>(Parameters&);

}  // namespace dspark
