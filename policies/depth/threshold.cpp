#include "policies/depth/depth_policy_registry.h"

namespace dspark {

/// Verify while confidence stays at or above a threshold; the first below cuts, and everything behind it goes
/// (static threshold of the DSpark paper, section 3.2; served implementations take 0.7 .. 0.9). Each request
/// stands alone: the rule knows of no load. Lossless: token k is judged by c_k, which is known before x_k is
/// drawn.
///
///     policy: threshold:0.7
class Threshold final : public DepthPolicy {
 public:
  explicit Threshold(Parameters& parameters)
      : threshold_(parameters.number("threshold",
                                     {.min = 0,
                                      .max = 1,
                                      .default_value = 0.7,
                                      .meaning = "least confidence of a draft token that is verified"})) {}

  void choose(const Step& step, SurvivalFrontier& frontier) override {
    for (int request = 0; request < step.requests(); ++request) {
      while (const auto next = frontier.head(request)) {
        if (next->signals.confidence < threshold_) break;
        frontier.admit();
      }
    }
  }

 private:
  double threshold_;
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<Threshold>(Parameters&);

}  // namespace dspark
