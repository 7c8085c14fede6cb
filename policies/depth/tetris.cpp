#include <algorithm>
#include <optional>

#include "policies/depth/depth_policy_registry.h"
#include "policies/depth/hindsight_frontier.h"

namespace dspark {

/// TETRIS (arXiv 2502.15197): each request drafts a long block, and the step verifies the C tokens with the
/// largest products of draft probabilities, over all positions of all requests. A product never rises with
/// position, so each request gets a prefix. C is a capacity: by request, as the authors' code has it,
/// C = requests · (drafted block - extra), or one number for the step. There is no floor. The code starts at
/// some batch size; up to `active_above` requests everything drafted is verified here.
///
/// `score: chosen` is the publication's: the product of q(x) over the tokens that were drawn. It looks at the
/// token it decides about, so with sampled drafts it anticipates and is not lossless; with a greedy drafter
/// the probability of the chosen token is known before it is "drawn", and the rule would be safe.
/// `score: confidence` ranks by the confidence head's survival instead, which is known before each draw, and
/// is lossless: C is fixed, and the top C by survival is a stopping set (LOSSLESS.md).
///
/// Products are resolved to 2^-21; ties go to the earlier position, then to the earlier row.
///
///     policy: tetris:3
///     policy: {tetris: {capacity: 256, draft: 6, score: confidence}}
class Tetris final : public DepthPolicy {
 public:
  explicit Tetris(Parameters& parameters) {
    const bool by_request = !parameters.given("capacity") || parameters.given("capacity_per_request");
    if (by_request) {
      capacity_per_request_ = parameters.number(
          "capacity_per_request", {.min = 0,
                                   .max = 64,
                                   .unit = "tokens",
                                   .meaning = "draft tokens verified in a step, by request; or `capacity`"});
    }
    if (!by_request || parameters.is_describing()) {
      capacity_ = static_cast<int>(parameters.integer(
          "capacity", {.min = 0,
                       .max = 1 << 22,
                       .unit = "tokens",
                       .meaning = "draft tokens verified in a step; or `capacity_per_request`"}));
    }
    parameters.exclude("capacity", "capacity_per_request");
    draft_ = static_cast<int>(parameters.integer(
        "draft",
        {.min = 0,
         .max = 64,
         .default_value = 0,
         .unit = "tokens",
         .meaning = "draft tokens per request, within the drafter's block size; 0: the whole block"}));
    active_above_ = static_cast<int>(
        parameters.integer("active_above", {.min = 0,
                                            .max = 1 << 20,
                                            .default_value = 0,
                                            .unit = "requests",
                                            .meaning = "up to so many, everything drafted is verified"}));
    by_confidence_ =
        parameters.choice("score", {.options = {"chosen", "confidence"},
                                    .default_value = "chosen",
                                    .meaning = "probability of the drawn token, not lossless; or the "
                                               "confidence, known before the draw"}) == "confidence";
  }

  PolicyTraits traits() const override {
    return {.lossless = by_confidence_, .signals = by_confidence_ ? kConfidenceOnly : kChosen};
  }

  PlanAnswer plan(const PlanView& view, BlockPlan& blocks) override {
    if (draft_ > 0) blocks.set_all(std::min(draft_, view.block_size));
    return view.requests() > active_above_ ? PlanAnswer::kChoose : PlanAnswer::kVerifyAll;
  }

  void choose(const Step& step, SurvivalFrontier& frontier) override {
    frontier.admit_best(capacity(step) - frontier.total_admitted());
  }

  void choose_in_hindsight(const HindsightView& view, std::span<int> verification_length) override {
    DraftColumns scored = view.drafts;
    scored.confidence = view.drafts.chosen;
    by_chosen_.reset({view.step, scored});
    by_chosen_.admit_best(capacity(view.step));
    std::copy(by_chosen_.admitted().begin(), by_chosen_.admitted().end(), verification_length.begin());
  }

 private:
  int capacity(const Step& step) const {
    if (capacity_per_request_) return static_cast<int>(*capacity_per_request_ * step.requests());
    return capacity_;
  }

  std::optional<double> capacity_per_request_;
  int capacity_ = 0;
  int draft_ = 0;
  int active_above_ = 0;
  bool by_confidence_ = false;
  HindsightFrontier by_chosen_;
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<Tetris>(Parameters&);

}  // namespace dspark
