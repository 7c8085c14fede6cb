#include <algorithm>

#include "policies/depth/hindsight_frontier.h"
#include "policies/depth/policy_wrapper.h"

namespace dspark {

/// Fills the padding of a captured graph (SGLang `align-verify-tokens-to-graph-tier`, off by default there):
/// after the policy inside has chosen, the step's rows are rounded up to the captured size that holds them,
/// and the next most likely tokens take the padding, which costs nothing. Beyond the captured graphs, and
/// where the belief knows of no captured sizes, nothing is filled. A request that the policy inside has
/// closed with `skip` stays closed; one that it has only stopped admitting goes on.
///
/// A policy that answers in `plan` verifies all that it drafts: nothing is left to fill with.
///
/// Lossless where the policy inside is: the padding depends on how much was admitted, and the frontier
/// reveals the next token only after the one before it.
///
///     policy: {tier_fill: {policy: dspark_async}}
class TierFill final : public PolicyWrapper {
 public:
  explicit TierFill(Parameters& parameters) : PolicyWrapper(parameters) {}

  void choose(const Step& step, SurvivalFrontier& frontier) override {
    inner().choose(step, frontier);
    fill(step, frontier);
  }

  /// The padding goes by survival here too, whatever the policy inside ranks by.
  void choose_in_hindsight(const HindsightView& view, std::span<int> verification_length) override {
    inner().choose_in_hindsight(view, verification_length);
    frontier_.reset(view);
    for (int request = 0; request < frontier_.requests(); ++request) {
      for (int k = verification_length[static_cast<std::size_t>(request)]; k > 0; --k) {
        frontier_.head(request);
        frontier_.admit();
      }
    }
    fill(view.step, frontier_);
    std::copy(frontier_.admitted().begin(), frontier_.admitted().end(), verification_length.begin());
  }

 private:
  static void fill(const Step& step, SurvivalFrontier& frontier) {
    const int rows = step.requests() + step.prefill_rows + frontier.total_admitted();
    frontier.admit_best(step.cost->captured_rows(rows) - rows);
  }

  HindsightFrontier frontier_;  // of policies that anticipate, which are not handed one
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<TierFill>(Parameters&);

}  // namespace dspark
