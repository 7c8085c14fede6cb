// Draft lengths that follow a law of their own where every draw is independent: Hugging Face's heuristic is a
// Markov chain in k, and AdaEDL with a resting threshold stops after a geometric number of tokens.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/sim/theory/endless_replies.h"
#include "tests/sim/theory/standard_error.h"

namespace dspark {
namespace {

using testing::deviation;
using testing::EndlessReplies;
using testing::estimate;
using testing::kStandardErrors;
using testing::written;
using testing::written_map;

constexpr int kLongest = 64;  // the drafter's block; k is next to never there

/// Mean of the chain's stationary law: from k to k + 2 with probability a^k, else to max(1, k - 1).
double stationary_mean(double a) {
  std::vector<double> law(kLongest + 1, 0);
  law[5] = 1;
  for (int step = 0; step < 3000; ++step) {
    std::vector<double> next(kLongest + 1, 0);
    for (std::size_t k = 1; k <= kLongest; ++k) {
      const double all = std::pow(a, static_cast<double>(k));
      next[std::min<std::size_t>(kLongest, k + 2)] += law[k] * all;
      next[std::max<std::size_t>(1, k - 1)] += law[k] * (1 - all);
    }
    law = next;
  }
  double mean = 0;
  for (std::size_t k = 1; k <= kLongest; ++k) mean += static_cast<double>(k) * law[k];
  return mean;
}

/// The heuristic with other steps.
class OtherSteps final : public DepthPolicy {
 public:
  OtherSteps(int up, int down) : up_(up), down_(down) {}
  PlanAnswer plan(const PlanView& view, BlockPlan& blocks) override {
    k_.resize(static_cast<std::size_t>(view.requests()), 5);
    for (int r = 0; r < view.requests(); ++r) blocks.set(r, k_[static_cast<std::size_t>(r)]);
    return PlanAnswer::kVerifyAll;
  }
  void observe(const StepOutcome& outcome) override {
    for (std::size_t r = 0; r < k_.size(); ++r) {
      const bool all = outcome.accepted[r] == outcome.drafted[r];
      k_[r] = std::clamp(k_[r] + (all ? up_ : -down_), 1, kLongest);
    }
  }

 private:
  int up_, down_;
  std::vector<int> k_;  // (requests)
};

/// Standard errors between the engine's mean k and the chain's. A user's k depends on that user's outcomes
/// only; the first 100 rounds are forgotten.
double off_the_chain(double a, const std::function<std::unique_ptr<DepthPolicy>()>& mutant = nullptr) {
  EndlessReplies scene{.users = 64, .rounds = 1000, .skipped_rounds = 100, .block_size = kLongest};
  scene.accept(a);
  scene.use("hugging_face_heuristic");
  scene.system.own_policy = mutant;
  return deviation(estimate(scene.play().block_size), stationary_mean(a));
}

TEST(HuggingFaceChain, StationaryMeansAreThePublishedOnesAndLieAboveTheDriftsZero) {
  for (const auto& [a, published] : {std::pair(0.8, 5.45), std::pair(0.9, 10.93)}) {
    EXPECT_NEAR(stationary_mean(a), published, 0.005);
    EXPECT_GT(stationary_mean(a), std::log(3) / -std::log(a));
  }
}

TEST(HuggingFaceChain, TheEnginesMeanLengthIsThatOfTheExactChain) {
  for (const double a : {0.6, 0.8, 0.9}) EXPECT_LE(off_the_chain(a), kStandardErrors) << a;
}

TEST(HuggingFaceChain, OtherStepsUpOrDownAreSeen) {
  for (const double a : {0.8, 0.9}) {
    EXPECT_GT(off_the_chain(a, [] { return std::make_unique<OtherSteps>(1, 1); }), kStandardErrors) << a;
    EXPECT_GT(off_the_chain(a, [] { return std::make_unique<OtherSteps>(2, 2); }), kStandardErrors) << a;
  }
  // The mutant with the right steps is the policy.
  EXPECT_LE(off_the_chain(0.8, [] { return std::make_unique<OtherSteps>(2, 1); }), kStandardErrors);
}

// AdaEDL: the bound 1 - √(γ·H) falls below λ where H > (1 - λ)²/γ; with its defaults at H > 1.25 nats.

constexpr double kEffect = 1.5, kDeviation = 1.0, kSignalNoise = 0.7;  // logits; the noise is SmallSystem's
constexpr double kTailTokens = 20;  // over which the modelled drafter spreads what is not its first choice

/// Entropy of a draft distribution whose first choice has probability p.
double entropy(double p) { return -p * std::log(p) - (1 - p) * std::log((1 - p) / kTailTokens); }

/// Mean draft length where a draft goes on with probability q after each token, at most `longest` tokens.
double stopped_length(double most_entropy, int longest) {
  double low = 0.1, high = 1 - 1e-9;  // the entropy falls here
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (entropy(middle) > most_entropy ? low : high) = middle;
  }
  const double logit = std::log(low / (1 - low));
  const double spread = std::sqrt(kDeviation * kDeviation + kSignalNoise * kSignalNoise);
  const double q = 0.5 * std::erfc((logit - kEffect) / spread / std::sqrt(2.0));
  return (1 - std::pow(q, longest)) / (1 - q);
}

/// AdaEDL without the root: 1 - γ·H < λ.
class WithoutTheRoot final : public DepthPolicy, public DraftStop {
 public:
  PolicyTraits traits() const override { return {.signals = kEntropy}; }
  PlanAnswer plan(const PlanView&, BlockPlan&) override { return PlanAnswer::kVerifyAll; }
  const DraftStop* draft_stop() const override { return this; }
  bool keep_drafting(const DraftedToken& token) const override {
    return 1 - 0.2 * token.before.entropy >= 0.5;
  }
};

double off_the_stopped_length(double lambda, const Value& parameters,
                              const std::function<std::unique_ptr<DepthPolicy>()>& mutant = nullptr) {
  EndlessReplies scene{.users = 64, .rounds = 500, .block_size = 12};
  scene.system.domains = {{std::vector<double>(12, kEffect), kDeviation}};
  scene.system.spread = {.between_request_share = 0, .text_share = 0};
  scene.use("adaedl", "", parameters);
  scene.system.own_policy = mutant;
  return deviation(estimate(scene.play().drafted), stopped_length((1 - lambda) * (1 - lambda) / 0.2, 12));
}

/// The threshold rests (ε 0), and difficulty is drawn anew for every token.
Value resting(const std::string& lambda, const std::string& name = "k_min", const std::string& value = "1") {
  return written_map({{"epsilon", written("0")}, {"lambda", written(lambda)}, {name, written(value)}});
}

TEST(AdaedlBound, TheWorkedExampleStopsAtOneAndAQuarterNats) {
  EXPECT_NEAR((1 - 0.5) * (1 - 0.5) / 0.2, 1.25, 1e-12);
  EXPECT_NEAR(1 - std::sqrt(0.2 * 1.25), 0.5, 1e-12);
}

TEST(AdaedlBound, ARestingThresholdDraftsAGeometricNumberOfTokens) {
  for (const double lambda : {0.4, 0.5, 0.6}) {
    EXPECT_LE(off_the_stopped_length(lambda, resting(std::to_string(lambda))), kStandardErrors) << lambda;
  }
}

TEST(AdaedlBound, AnotherFactorAMissingRootAndAStopOneTokenLateAreSeen) {
  EXPECT_GT(off_the_stopped_length(0.5, resting("0.5", "gamma", "0.21")), kStandardErrors);
  EXPECT_GT(off_the_stopped_length(0.5, resting("0.5", "k_min", "2")), kStandardErrors);
  EXPECT_GT(off_the_stopped_length(0.5, {}, [] { return std::make_unique<WithoutTheRoot>(); }),
            kStandardErrors);
}

}  // namespace
}  // namespace dspark
