#include <algorithm>
#include <cmath>
#include <numeric>

#include "policies/depth/hindsight_frontier.h"
#include "policies/depth/policy_wrapper.h"

namespace dspark {

/// Holds the answer of the policy inside for `steps` steps: it decides in one step and is repeated in the
/// next `steps` - 1. Engines do so to decide less often (vllm-ascend holds 16 or 50 steps, SmartSpec's
/// authors 20) and pay with stale answers when the batch changes.
///
/// What is held: of a policy that answers in `plan`, the mean of its planned blocks, rounded: every request
/// drafts and verifies so many. Of one that chooses after drafting, that mean as block size and the draft
/// tokens it admitted per request: on held steps the most likely round(tokens per request · requests) are
/// admitted. Which requests got how much is not held. On held steps the policy inside is asked neither to
/// plan nor to choose; it observes every step, its DraftStop stays in force and history goes on. The first
/// answer, made without history, is held as long as any other. Where a policy that chooses was not asked,
/// because nothing could be drafted, the next step decides again. A held budget is shared out after drafting,
/// so the machine's overhead of a decision is charged in held steps too.
///
/// Lossless where the policy inside is: what is held is history, and the top K by current survival is a
/// stopping set (LOSSLESS.md).
///
///     policy: {hold: {steps: 10, policy: dspark_async}}
class Hold final : public PolicyWrapper {
 public:
  explicit Hold(Parameters& parameters)
      : PolicyWrapper(parameters),
        steps_(parameters.integer("steps", {.min = 1,
                                            .max = 1'000'000,
                                            .default_value = 10,
                                            .unit = "steps",
                                            .meaning = "steps for which an answer is held"})) {}

  PlanAnswer plan(const PlanView& view, BlockPlan& blocks) override {
    // A step that decides may be asked more than once and decides each time.
    deciding_ = view.step >= next_decision_ || view.step == decided_at_;
    if (!deciding_) {
      blocks.set_all(std::min(block_size_, view.block_size));
      return answer_;
    }
    answer_ = inner().plan(view, blocks);
    int planned = 0;
    for (int r = 0; r < view.requests(); ++r) planned += blocks.of(r);
    block_size_ = view.requests() > 0 ? rounded(planned, view.requests()) : view.block_size;
    if (answer_ == PlanAnswer::kVerifyAll) hold_from(view.step);
    return answer_;
  }

  void choose(const Step& step, SurvivalFrontier& frontier) override {
    if (!deciding_) return frontier.admit_best(budget(step) - frontier.total_admitted());
    inner().choose(step, frontier);
    hold_budget(step, frontier.total_admitted());
  }

  /// On held steps the budget goes by survival here too, whatever the policy inside ranks by.
  void choose_in_hindsight(const HindsightView& view, std::span<int> verification_length) override {
    if (deciding_) {
      inner().choose_in_hindsight(view, verification_length);
      return hold_budget(view.step,
                         std::accumulate(verification_length.begin(), verification_length.end(), 0));
    }
    frontier_.reset(view);
    frontier_.admit_best(budget(view.step));
    std::copy(frontier_.admitted().begin(), frontier_.admitted().end(), verification_length.begin());
  }

 private:
  static int rounded(int sum, int count) {
    return static_cast<int>(std::lround(static_cast<double>(sum) / count));
  }
  int budget(const Step& step) const {
    return static_cast<int>(std::lround(tokens_per_request_ * step.requests()));
  }
  void hold_budget(const Step& step, int admitted) {
    tokens_per_request_ = static_cast<double>(admitted) / step.requests();
    hold_from(step.step);
  }
  void hold_from(std::int64_t step) {
    decided_at_ = step;
    next_decision_ = step + steps_;
  }

  std::int64_t steps_;
  std::int64_t next_decision_ = 0;  // step
  std::int64_t decided_at_ = -1;    // step
  bool deciding_ = true;            // in the step in progress
  PlanAnswer answer_ = PlanAnswer::kChoose;
  int block_size_ = 0;             // held
  double tokens_per_request_ = 0;  // held
  HindsightFrontier frontier_;     // of policies that anticipate, which are not handed one
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<Hold>(Parameters&);

}  // namespace dspark
