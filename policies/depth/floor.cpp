#include <algorithm>

#include "policies/depth/policy_wrapper.h"

namespace dspark {

/// Each request verifies at least `tokens` of what it drafted, whatever the policy inside would cut: a guard
/// against the starvation of requests with low confidence (vllm-ascend keeps a floor of 1; in SGLang the
/// floor of 1 is the anchor, which is no draft token and always there).
///
/// The floor is admitted before the policy inside is asked, so a budget counts it, and a rule that goes
/// request by request goes on behind it. Planned blocks between 1 and the floor are raised to it, within γ
/// and the request's length limit. A planned block of 0 stays 0: where the policy inside has turned drafting
/// off there is nothing to keep. A DraftStop inside may still end a block before the floor.
///
/// Lossless where the policy inside is: the first tokens of each block are submitted whatever is drawn.
///
///     policy: {floor: {tokens: 1, policy: {dspark_async: {lag: 1}}}}
class Floor final : public PolicyWrapper {
 public:
  explicit Floor(Parameters& parameters)
      : PolicyWrapper(parameters),
        tokens_(static_cast<int>(parameters.integer(
            "tokens", {.min = 0,
                       .max = 64,
                       .default_value = 1,
                       .unit = "tokens",
                       .meaning = "draft tokens that each request verifies at least, where it drafts"}))) {}

  PlanAnswer plan(const PlanView& view, BlockPlan& blocks) override {
    const PlanAnswer answer = inner().plan(view, blocks);
    for (int r = 0; r < view.requests(); ++r) {
      const int room = std::min(view.block_size, view.request.block_cap[static_cast<std::size_t>(r)]);
      const int planned = blocks.of(r);
      if (planned > 0) blocks.set(r, std::max(planned, std::min(tokens_, room)));
    }
    return answer;
  }

  void choose(const Step& step, SurvivalFrontier& frontier) override {
    for (int request = 0; request < step.requests(); ++request) {
      for (int k = 1; k <= tokens_ && frontier.head(request); ++k) frontier.admit();
    }
    inner().choose(step, frontier);
  }

  void choose_in_hindsight(const HindsightView& view, std::span<int> verification_length) override {
    inner().choose_in_hindsight(view, verification_length);
    for (std::size_t r = 0; r < verification_length.size(); ++r) {
      verification_length[r] = std::max(verification_length[r], std::min(tokens_, view.drafts.drafted[r]));
    }
  }

 private:
  int tokens_;
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<Floor>(Parameters&);

}  // namespace dspark
