#include <algorithm>
#include <numeric>

#include "policies/depth/depth_policy_registry.h"
#include "policies/invariant.h"

namespace dspark {

/// Sees the outcomes before it chooses: verifies accepted tokens only, as many of them as give the most
/// tokens per second, (requests + n) / seconds(n) over all n; ties take the smaller n. Tokens are given out
/// position by position, so that nobody waits for another's long block. The upper bound for every rule that
/// verifies a step's drafts. Not lossless, on purpose: it looks at what it decides about.
///
///     policy: oracle
class Oracle final : public DepthPolicy {
 public:
  explicit Oracle(Parameters&) {}

  PolicyTraits traits() const override { return {.lossless = false, .outcomes = true}; }

  void choose_in_hindsight(const HindsightView& view, std::span<int> verification_length) override {
    const std::span<const int> accepted = view.drafts.accepted_if_verified;
    DSPARK_INVARIANT(accepted.size() == verification_length.size());
    int left = best_total(view.step, std::accumulate(accepted.begin(), accepted.end(), 0));
    std::fill(verification_length.begin(), verification_length.end(), 0);
    for (int k = 1; left > 0; ++k) {
      for (std::size_t r = 0; r < accepted.size() && left > 0; ++r) {
        if (accepted[r] < k) continue;
        verification_length[r] = k;
        --left;
      }
    }
  }

 private:
  static int best_total(const Step& step, int available) {
    int best_n = 0;
    double best = step.requests() / step.seconds(0);
    for (int n = 1; n <= available; ++n) {
      const double rate = (step.requests() + n) / step.seconds(n);
      if (rate > best) {
        best = rate;
        best_n = n;
      }
    }
    return best_n;
  }
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<Oracle>(Parameters&);

}  // namespace dspark
