#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "policies/depth/depth_policy_registry.h"

namespace dspark {
namespace {

/// Stops after a token that the drafter itself found unlikely.
class ChosenThreshold final : public DraftStop {
 public:
  bool keep_drafting(const DraftedToken& token) const override { return token.after.chosen >= threshold; }

  double threshold = 0;
};

/// The threshold on the chosen probability that best tells accepted from rejected tokens, on the ROC curve of
/// all tokens counted so far. Probabilities are counted in steps of 0.001, so that memory and time do not
/// grow with the run.
class RocThreshold {
 public:
  void count(double probability, bool accepted) {
    const int bin = std::clamp(static_cast<int>(probability * kBins), 0, kBins - 1);
    ++(accepted ? accepted_ : rejected_).by_bin[static_cast<std::size_t>(bin)];
    ++(accepted ? accepted_ : rejected_).all;
  }

  /// Minimises 0.25 · (rejected tokens above it) + 0.75 · (accepted tokens below it), as shares; of equal
  /// ones the largest. Nothing while there are no more than 5 tokens or only one kind.
  std::optional<double> best() const {
    if (accepted_.all + rejected_.all <= kFewest || accepted_.all == 0 || rejected_.all == 0) return {};
    double least = 2;  // above any cost
    int best = 0;
    double accepted_above = 0;
    double rejected_above = 0;
    for (int bin = kBins - 1; bin >= 0; --bin) {
      const auto i = static_cast<std::size_t>(bin);
      accepted_above += static_cast<double>(accepted_.by_bin[i]);
      rejected_above += static_cast<double>(rejected_.by_bin[i]);
      const double false_positives = rejected_above / static_cast<double>(rejected_.all);
      const double false_negatives = 1 - accepted_above / static_cast<double>(accepted_.all);
      const double cost = 0.25 * false_positives + 0.75 * false_negatives;
      // An empty bin costs what the one above it does, and is no probability that was seen.
      if (cost < least) {
        least = cost;
        best = bin;
      }
    }
    return static_cast<double>(best) / kBins;
  }

 private:
  static constexpr int kBins = 1000;
  static constexpr std::int64_t kFewest = 5;
  struct Counts {
    std::array<std::int64_t, kBins> by_bin = {};
    std::int64_t all = 0;
  };
  Counts accepted_, rejected_;
};

}  // namespace

/// Assisted generation of Hugging Face transformers (generation/candidate_generator.py). Schedule: all tokens
/// that were *actually drafted* accepted: k ← k + 2, else k ← max(1, k - 1). The source serves one request
/// (`heuristic` keeps k for the next one, `heuristic_transient` starts anew), so what a batch does is ours:
/// k belongs to each request, and with `heuristic` a new request starts at the k of the last one that ended;
/// or one k for the batch, which grows where every request accepted all, and starts anew when all requests
/// are new. k does not grow past the drafter's block. A request that rejoins after a preemption is new.
///
/// With `assistant_confidence_threshold` a draft ends after a token whose probability was below it; the token
/// is kept. Releases up to 4.44 have 5 tokens, heuristic, no threshold; later ones 20 tokens, constant and
/// 0.4. `update_threshold` moves it, one for all, to where 0.25·FPR + 0.75·FNR is least over the tokens
/// verified so far up to each round's first rejection. Lossless: the trigger is submitted, and k and the
/// threshold are history.
///
///     policy: {hugging_face_heuristic: {num_assistant_tokens: 5}}
///     policy: {hugging_face_heuristic: {num_assistant_tokens: 20, schedule: constant,
///                                       assistant_confidence_threshold: 0.4}}
class HuggingFaceHeuristic final : public DepthPolicy {
 public:
  explicit HuggingFaceHeuristic(Parameters& parameters)
      : initial_k_(static_cast<int>(parameters.integer(
            "num_assistant_tokens",
            {.min = 1, .max = 64, .default_value = 5, .unit = "tokens", .meaning = "k at the start"}))) {
    const std::string schedule = parameters.choice(
        "schedule", {.options = {"heuristic", "heuristic_transient", "constant"},
                     .default_value = "heuristic_transient",
                     .meaning = "k +2 or -1 by the last round, kept for later requests or started anew "
                                "for each; or constant"});
    adapts_ = schedule != "constant";
    keeps_ = schedule == "heuristic";
    for_batch_ = parameters.choice("scope", {.options = {"request", "batch"},
                                             .default_value = "request",
                                             .meaning = "whose k it is"}) == "batch";
    stop_.threshold =
        parameters.number("assistant_confidence_threshold",
                          {.min = 0,
                           .max = 1,
                           .default_value = 0,
                           .meaning = "a draft ends after a token with a probability below it; 0: off"});
    update_threshold_ = parameters.flag(
        "update_threshold",
        {.default_value = false, .meaning = "move the threshold by the ROC curve of verified tokens"});
    uses_threshold_ = stop_.threshold > 0;
    if (update_threshold_ && !uses_threshold_) {
      parameters.add_error("'update_threshold' needs a threshold to start from",
                           parameters.position_of("update_threshold"),
                           "give assistant_confidence_threshold, for example 0.4");
    }
    start_ = batch_k_ = initial_k_;
  }

  PolicyTraits traits() const override {
    return {.signals = uses_threshold_ ? unsigned{kChosen} : unsigned{kConfidenceOnly}};
  }

  PlanAnswer plan(const PlanView& view, BlockPlan& blocks) override {
    block_size_ = view.block_size;
    if (for_batch_) {
      const auto& rounds = view.request.rounds;
      const bool all_new = std::all_of(rounds.begin(), rounds.end(), [](int n) { return n == 0; });
      if (all_new && !keeps_) batch_k_ = initial_k_;
      blocks.set_all(std::min(batch_k_, block_size_));
      return PlanAnswer::kVerifyAll;
    }
    for (int r = 0; r < view.requests(); ++r) {
      const auto row = static_cast<std::size_t>(r);
      int& k = k_of(view.request.id[row]);
      if (view.request.rounds[row] == 0) k = start_;
      blocks.set(r, std::min(k, block_size_));
    }
    return PlanAnswer::kVerifyAll;
  }

  const DraftStop* draft_stop() const override { return uses_threshold_ ? &stop_ : nullptr; }

  void observe(const StepOutcome& outcome) override {
    bool drafted = false;
    bool all_accepted = true;
    for (std::size_t r = 0; r < outcome.verified.size(); ++r) {
      int& k = k_of(outcome.request.id[r]);
      if (outcome.drafted[r] > 0) {
        const bool accepted = outcome.accepted[r] == outcome.drafted[r];
        drafted = true;
        all_accepted &= accepted;
        k = next(k, accepted);
      }
      if (keeps_ && outcome.finished[r]) start_ = k;
    }
    if (drafted) batch_k_ = next(batch_k_, all_accepted);
    if (update_threshold_) count_labels(outcome);
  }

 private:
  int next(int k, bool all_accepted) const {
    if (!adapts_) return k;
    return all_accepted ? std::min(k + 2, std::max(k, block_size_)) : std::max(1, k - 1);
  }

  int& k_of(RequestId id) {
    const auto index = static_cast<std::size_t>(id);
    if (index >= k_.size()) k_.resize(index + 1, start_);
    return k_[index];
  }

  /// What comes after a round's first rejection was never put to the test.
  void count_labels(const StepOutcome& outcome) {
    for (int r = 0; r < outcome.requests(); ++r) {
      const auto row = static_cast<std::size_t>(r);
      const int tested = std::min(outcome.accepted[row] + 1, outcome.verified[row]);
      for (int k = 1; k <= tested; ++k) {
        roc_.count(outcome.drafts.after_draw(r, k).chosen, k <= outcome.accepted[row]);
      }
    }
    if (const auto best = roc_.best()) stop_.threshold = *best;
  }

  int initial_k_;
  bool adapts_ = true;
  bool keeps_ = false;
  bool for_batch_ = false;
  bool uses_threshold_ = false;
  bool update_threshold_ = false;
  int block_size_ = 0;
  int start_ = 0;  // k of a new request
  int batch_k_ = 0;
  std::vector<int> k_;  // by request
  ChosenThreshold stop_;
  RocThreshold roc_;
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<HuggingFaceHeuristic>(Parameters&);

}  // namespace dspark
