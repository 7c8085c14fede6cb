#include <algorithm>
#include <array>

#include "policies/depth/depth_policy_registry.h"

namespace dspark {

namespace {

/// Turns terms into the sums up to and including each, on top of `sum`; returns the last. Four at a time: an
/// engine's survivals are multiples of 2^-21, whose sums are exact in any order.
double add_up(double sum, std::span<double> terms) {
  std::size_t i = 0;
  for (; i + 4 <= terms.size(); i += 4) {
    const double one = terms[i], two = one + terms[i + 1];
    const double three = two + terms[i + 2], four = two + (terms[i + 2] + terms[i + 3]);
    terms[i] = sum + one;
    terms[i + 1] = sum + two;
    terms[i + 2] = sum + three;
    terms[i + 3] = sum + four;
    sum = terms[i + 3];
  }
  for (; i < terms.size(); ++i) terms[i] = sum += terms[i];
  return sum;
}

}  // namespace

/// DSpark for asynchronous scheduling (paper, section 5.2; merged in vLLM with lag 1, in SGLang with lag 2).
/// The budget K of the step maximises (requests + the K largest survivals of `lag` steps ago) / seconds(K)
/// over *all* K, so that a jagged cost table does not trap it; ties take the smaller K. The current step then
/// admits its K most likely tokens. A request that has not completed `lag` rounds has no survivals in that
/// step and counts as survival 1 for each token of its planned block, as in vLLM; where there was no such
/// step at all, everybody does. Lossless: K is known before the step drafts, and the top K by current
/// survival is a stopping set (LOSSLESS.md).
///
/// The search needs no hull; on one the budget follows the load smoothly instead of the captured sizes.
///
///     policy: {dspark_async: {lag: 2}}
class DsparkAsync final : public DepthPolicy {
 public:
  explicit DsparkAsync(Parameters& parameters)
      : lag_(static_cast<int>(
            parameters.integer("lag", {.min = 1,
                                       .max = 8,
                                       .default_value = 2,
                                       .unit = "steps",
                                       .meaning = "age of the survivals that set the budget"}))),
        form_(parameters.choice("cost", {.options = {"staircase", "hull"},
                                         .default_value = "staircase",
                                         .meaning = "how the cost table is read"}) == "hull"
                  ? CostForm::kHull
                  : CostForm::kStaircase) {}

  PolicyTraits traits() const override { return {.history = lag_}; }

  void choose(const Step& step, SurvivalFrontier& frontier) override {
    frontier.admit_best(budget(step) - frontier.total_admitted());
  }

 private:
  int budget(const Step& step) const {
    const EarlierStep earlier = step.earlier(lag_);
    int planned = 0;
    int unknown = 0;  // planned tokens of requests without a survival in that step
    for (std::size_t r = 0; r < step.planned.size(); ++r) {
      planned += step.planned[r];
      if (earlier.requests == 0 || step.request.rounds[r] < lag_) unknown += step.planned[r];
    }
    // `planned` bounds the budget, and with it the survivals that count.
    const auto known = std::min(earlier.survival.size(), static_cast<std::size_t>(planned - unknown));
    return best_budget(step, unknown, earlier.survival.first(known));
  }

  /// K with the largest rate where the first `certain` tokens have survival 1 and `survival` follows. Block
  /// by block, so that sums, prices and rates are loops over columns: this is what the decision takes.
  int best_budget(const Step& step, int certain, std::span<const float> survival) const {
    constexpr std::size_t kBlock = 64;
    constexpr double kNearly = 1 - 0x1p-40;  // more than rounding takes from a product
    std::array<double, kBlock> expected, seconds, rate;
    const auto free = static_cast<std::size_t>(certain);
    const std::size_t largest = free + survival.size();
    double tokens = step.requests();  // one bonus token each
    double best = tokens / step.seconds(0, form_);
    std::size_t budget = 0;
    for (std::size_t before = 0; before < largest; before += kBlock) {
      const std::size_t count = std::min(kBlock, largest - before);
      const std::size_t ones = std::clamp(free, before, before + count) - before;
      std::fill_n(expected.begin(), ones, 1.0);
      for (std::size_t i = ones; i < count; ++i) {
        expected[i] = static_cast<double>(survival[before + i - free]);
      }
      tokens = add_up(tokens, {expected.data(), count});
      step.seconds_from(static_cast<int>(before) + 1, form_, {seconds.data(), count});
      int worth_a_look = 0;  // behind the best budget no block is, and divisions cost most
      for (std::size_t i = 0; i < count; ++i)
        worth_a_look |= expected[i] > best * kNearly * seconds[i] ? 1 : 0;
      if (worth_a_look == 0) continue;
      for (std::size_t i = 0; i < count; ++i) rate[i] = expected[i] / seconds[i];
      for (std::size_t i = 0; i < count; ++i) {
        if (rate[i] <= best) continue;
        best = rate[i];
        budget = before + i + 1;
      }
    }
    return static_cast<int>(budget);
  }

  int lag_;
  CostForm form_;
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<DsparkAsync>(Parameters&);

}  // namespace dspark
