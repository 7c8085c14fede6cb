#include "policies/depth/depth_policy_registry.h"
#include "policies/depth/lagged_survivals.h"

namespace dspark {

/// vllm-ascend's budget of held odd counts (PRs 13216 and 13819; POLICIES.md 2.7). Now and then the policy
/// counts in each request's block the positions that look good and takes the mean over requests, rounded up,
/// and then up to an odd number: k. Until the next count each step verifies requests · k draft tokens in all;
/// only this budget is held. Each request gets its first token, and the rest goes to the most likely tokens
/// of the step. Before the first count k is 5.
///
/// | form | counts | every | even k |
/// |---|---|---|---|
/// | confidence | positions whose own confidence is above 0.7 | 50 steps | k + 1 |
/// | survival | positions whose survival is at least 0.3 | 16 steps | k + 1 where k is below γ |
///
/// Counts are made on the survivals of the step before. The published confidence form counts on the very
/// drafts that it then cuts, so that on those steps a token's confidence, which depends on the draws before
/// it, decides about those draws: it can anticipate (POLICIES.md 2.7). Ours cannot, and is a step late. γ is
/// here the longest block drafted in the step that was counted. A step in which nothing was drafted is not
/// counted; the next one is.
///
/// Lossless: the budget is known before the step drafts, the first token of each block is submitted whatever
/// is drawn, and the top K by current survival is a stopping set (LOSSLESS.md).
///
///     policy: ascend_held
///     policy: {ascend_held: {form: confidence, threshold: 0.8, update_every: 20}}
class AscendHeld final : public DepthPolicy {
 public:
  explicit AscendHeld(Parameters& parameters)
      : counts_confidence_(
            parameters.choice("form", {.options = {"survival", "confidence"},
                                       .default_value = "survival",
                                       .meaning = "what is counted, and what else differs between the "
                                                  "published forms"}) == "confidence"),
        threshold_(parameters.number("threshold", {.min = 0,
                                                   .max = 1,
                                                   .default_value = counts_confidence_ ? 0.7 : 0.3,
                                                   .meaning = "survival from which, or confidence above "
                                                              "which (0.7), a position counts"})),
        update_every_(
            parameters.integer("update_every", {.min = 1,
                                                .max = 1'000'000,
                                                .default_value = counts_confidence_ ? 50 : 16,
                                                .unit = "steps",
                                                .meaning = "steps between two counts (confidence: 50)"})),
        k_(static_cast<int>(
            parameters.integer("initial_k", {.min = 1,
                                             .max = 64,
                                             .default_value = 5,
                                             .unit = "tokens",
                                             .meaning = "budget per request before the first count"}))),
        next_update_(update_every_) {}

  PolicyTraits traits() const override { return {.history = 1}; }

  void choose(const Step& step, SurvivalFrontier& frontier) override {
    const EarlierStep earlier = step.earlier(1);
    if (step.step >= next_update_ && earlier.longest_block() > 0) {
      k_ = odd_count(earlier);
      next_update_ = step.step + update_every_;
    }
    for (int request = 0; request < step.requests(); ++request) {
      if (frontier.admitted()[static_cast<std::size_t>(request)] == 0 && frontier.head(request)) {
        frontier.admit();
      }
    }
    frontier.admit_best(step.requests() * k_ - frontier.total_admitted());
  }

 private:
  int odd_count(const EarlierStep& earlier) const {
    const int longest = earlier.longest_block();
    int count = 0;
    for (int row = 0; row < earlier.requests; ++row) {
      for (int k = 1; k <= longest; ++k) count += counts(earlier, row, k);
    }
    const int mean = (count + earlier.requests - 1) / earlier.requests;
    return mean % 2 == 0 && (counts_confidence_ || mean < longest) ? mean + 1 : mean;
  }
  bool counts(const EarlierStep& earlier, int row, int k) const {
    if (counts_confidence_) {
      return static_cast<double>(LaggedSurvivals::confidence(earlier, row, k)) > threshold_;
    }
    const float survival = earlier.by_request[static_cast<std::size_t>((k - 1) * earlier.requests + row)];
    return survival > 0.0f && static_cast<double>(survival) >= threshold_;
  }

  bool counts_confidence_;
  double threshold_;
  std::int64_t update_every_;
  int k_;
  std::int64_t next_update_;  // step
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<AscendHeld>(Parameters&);

}  // namespace dspark
