#include <cmath>

#include "policies/depth/depth_policy_registry.h"

namespace dspark {

/// The first part of each block, whatever the load and the confidence. Lossless: the depth is known before
/// anything is drawn.
///
///     policy: half_block
///     policy: {half_block: {share: 0.25}}
class HalfBlock final : public DepthPolicy {
 public:
  explicit HalfBlock(Parameters& parameters)
      : share_(parameters.number("share", {.min = 0,
                                           .max = 1,
                                           .default_value = 0.5,
                                           .meaning = "part of each block that is verified, rounded up"})) {}

  void choose(const Step& step, SurvivalFrontier& frontier) override {
    for (int request = 0; request < step.requests(); ++request) {
      const int depth = static_cast<int>(std::ceil(share_ * step.planned[request]));
      for (int k = 1; k <= depth && frontier.head(request); ++k) frontier.admit();
    }
  }

 private:
  double share_;
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<HalfBlock>(Parameters&);

}  // namespace dspark
