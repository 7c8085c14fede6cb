#pragma once

#include <memory>
#include <utility>

#include "policies/depth/depth_policy_registry.h"

namespace dspark {

/// A policy around another one: forwards everything, so that a wrapper overrides only what it changes. In
/// YAML the inner policy is the parameter `policy`, itself written as any policy is:
///
///     policy: {floor: {tokens: 1, policy: {dspark_async: {lag: 1}}}}
///
/// Wrappers compose because a budget counts what is admitted already: `choose` of a wrapper may admit tokens
/// before it asks the inner policy (a floor) or after (the filling of a captured size).
class PolicyWrapper : public DepthPolicy {
 public:
  PolicyTraits traits() const override { return inner_->traits(); }
  PlanAnswer plan(const PlanView& view, BlockPlan& blocks) override { return inner_->plan(view, blocks); }
  const DraftStop* draft_stop() const override { return inner_->draft_stop(); }
  void choose(const Step& step, SurvivalFrontier& frontier) override { inner_->choose(step, frontier); }
  void choose_in_hindsight(const HindsightView& view, std::span<int> verification_length) override {
    inner_->choose_in_hindsight(view, verification_length);
  }
  void observe(const StepOutcome& outcome) override { inner_->observe(outcome); }

 protected:
  explicit PolicyWrapper(Parameters& parameters) {
    Selection selection = parameters.one_of("policy", depth_policy_names(), "the policy inside", "dspark");
    inner_ = make_depth_policy(selection.name, selection.parameters);
  }
  DepthPolicy& inner() { return *inner_; }
  const DepthPolicy& inner() const { return *inner_; }

 private:
  std::unique_ptr<DepthPolicy> inner_;
};

}  // namespace dspark
