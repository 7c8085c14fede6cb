#include "policies/depth/depth_policy_registry.h"

namespace dspark {

/// Algorithm 1 of the DSpark paper (section 3.2): admit tokens by survival, over all requests at once, until
/// expected tokens per second stop rising; the admission that does not raise them is not kept. Lossless: it
/// stops on what is known before the next token is drawn (section 3.2.2).
///
/// The rule looks one token ahead, so it needs a cost that does not jump: on a raw measured staircase the
/// first token past a captured size pays for the whole next size, and from about 16 requests up nothing is
/// ever admitted. `hull` (the default) therefore prices the step by the convex minorant of the table, on
/// which the rule finds the global optimum; `staircase` is the algorithm on the measured table, trap
/// included.
///
///     policy: {dspark: {cost: hull}}
class Dspark final : public DepthPolicy {
 public:
  explicit Dspark(Parameters& parameters)
      : form_(parameters.choice("cost", {.options = {"staircase", "hull"},
                                         .default_value = "hull",
                                         .meaning = "how the cost table is read"}) == "hull"
                  ? CostForm::kHull
                  : CostForm::kStaircase) {}

  void choose(const Step& step, SurvivalFrontier& frontier) override {
    // One bonus token each, and what a wrapper has admitted.
    double tokens = step.requests() + frontier.expected_accepted();
    double best = tokens / step.seconds(frontier.total_admitted(), form_);
    for (int admitted = frontier.total_admitted() + 1; const auto next = frontier.best(); ++admitted) {
      tokens += next->survival;
      const double rate = tokens / step.seconds(admitted, form_);
      if (rate <= best) return;
      best = rate;
      frontier.admit();
    }
  }

 private:
  CostForm form_;
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<Dspark>(Parameters&);

}  // namespace dspark
