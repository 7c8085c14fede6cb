#include <algorithm>
#include <cmath>
#include <vector>

#include "policies/depth/depth_policy_registry.h"
#include "policies/elementary.h"

namespace dspark {

/// BanditSpec (arXiv 2505.15141): each k is an arm of a bandit, each step of the batch a round of it, with
/// one k for all requests. `paper` is UCBSpec, equations 5-7: every arm once, then the arm with the largest
///
///     mean_i + (L/2)·√( (1 + n_i)/n_i² · (1 + 2·ln(K·t²·√(1 + n_i)/δ)) )
///
/// after t rounds, n_i of them with arm i, for K arms whose rewards span L. `released` is what the authors'
/// code does (sail-sg/BanditSpec): arms 1..4, 7 rounds that cycle through the arms, then the largest
/// mean_i + √(6·ln t / Σn), where the bonus divides by the sum of all counts: it is the same for every arm,
/// so the rule is greedy and can lock on a wrong arm. Ties go to the arm listed first.
///
/// The reward is tokens per second, Σ(accepted + 1) / step seconds, as in the paper's experiments (its
/// algorithm 4 counts tokens per round, which with lengths as arms drifts to the largest). Ours: it is
/// divided by the believed tokens per second of the same step without drafts, so that it is a speed-up, which
/// a change of load does not move; at constant load that is a constant factor. A speed-up lies within 0 ..
/// largest arm + 1 where the belief holds, hence L. The paper's horizon is one reply; here one bandit lives
/// as long as the replica. Arms above the drafter's block size draft the whole block. Lossless: k is known
/// before anything is drawn, and history is always safe.
///
///     policy: {bandit_spec: {arms: [0, 1, 2, 3, 4], delta: 0.1}}
class BanditSpec final : public DepthPolicy {
 public:
  explicit BanditSpec(Parameters& parameters) {
    released_ = parameters.choice("form", {.options = {"paper", "released"},
                                           .default_value = "paper",
                                           .meaning = "the paper's UCB, or what the authors' code does"}) ==
                "released";
    const auto all = released_ ? std::vector<double>{1, 2, 3, 4} : std::vector<double>{0, 1, 2, 3, 4};
    for (const double k :
         parameters.numbers("arms", {.min = 0,
                                    .max = 64,
                                    .max_count = 65,
                                    .default_value = all,
                                    .unit = "tokens",
                                    .meaning = "values of k to choose from; released form: 1 .. 4"})) {
      const int whole = static_cast<int>(k);
      if (whole != k) {
        parameters.add_error("'arms' must be whole numbers", parameters.position_of("arms"));
      } else if (std::any_of(arms_.begin(), arms_.end(), [&](const Arm& arm) { return arm.k == whole; })) {
        parameters.add_error("'arms' has a number twice", parameters.position_of("arms"));
      } else {
        arms_.push_back({.k = whole});
      }
    }
    if (arms_.empty()) arms_.push_back({});  // an error has been added
    const bool all_forms = parameters.is_describing();
    if (released_ || all_forms) {
      warmup_rounds_ = parameters.integer("warmup_rounds",
                                          {.min = 1,
                                           .max = 1'000'000,
                                           .default_value = 7,
                                           .unit = "steps",
                                           .meaning = "released form: rounds that cycle through the arms"});
    }
    if (!released_ || all_forms) {
      delta_ =
          parameters.number("delta", {.min = 1e-9,
                                      .max = 1,
                                      .default_value = 0.1,
                                      .meaning = "paper form: δ, probability that the bounds fail; ours"});
      reward_range_ = parameters.number(
          "reward_range",
          {.min = 0,
           .max = 1000,
           .default_value = 0,
           .meaning = "paper form: L, range of the reward (a speed-up); 0: largest arm + 1, its most"});
    }
    if (reward_range_ == 0) {
      for (const Arm& arm : arms_) reward_range_ = std::max(reward_range_, arm.k + 1.0);
    }
  }

  PlanAnswer plan(const PlanView& view, BlockPlan& blocks) override {
    chosen_ = choose_arm();
    undrafted_rate_ = view.requests() / view.seconds(0);
    blocks.set_all(std::min(arms_[chosen_].k, view.block_size));
    return PlanAnswer::kVerifyAll;
  }

  void observe(const StepOutcome& outcome) override {
    if (outcome.requests() == 0) return;  // prompts only: no round was played
    double tokens = outcome.requests();
    for (const int accepted : outcome.accepted) tokens += accepted;
    Arm& arm = arms_[chosen_];
    arm.rewards += tokens / outcome.seconds.total() / undrafted_rate_;
    ++arm.rounds;
    ++rounds_;
  }

 private:
  struct Arm {
    int k = 0;
    double rewards = 0;       // sum
    std::int64_t rounds = 0;  // n_i
    double mean() const { return rewards / static_cast<double>(rounds); }
  };

  std::size_t choose_arm() const {
    if (released_ && rounds_ < warmup_rounds_) return static_cast<std::size_t>(rounds_) % arms_.size();
    std::size_t best = 0;
    double best_bound = -1;  // rewards are not negative
    for (std::size_t i = 0; i < arms_.size(); ++i) {
      if (arms_[i].rounds == 0) return i;
      const double bound = arms_[i].mean() + (released_ ? released_bonus() : paper_bonus(arms_[i]));
      if (bound > best_bound) {
        best_bound = bound;
        best = i;
      }
    }
    return best;
  }

  double released_bonus() const {
    const auto t = static_cast<double>(rounds_);
    return std::sqrt(6 * log_portable(t) / t);  // the counts of all arms add up to t
  }

  double paper_bonus(const Arm& arm) const {
    const auto t = static_cast<double>(rounds_);
    const auto n = static_cast<double>(arm.rounds);
    const double arms = static_cast<double>(arms_.size());
    const double surprise = 1 + 2 * log_portable(arms * t * t * std::sqrt(1 + n) / delta_);
    return reward_range_ / 2 * std::sqrt((1 + n) / (n * n) * surprise);
  }

  bool released_ = false;
  std::vector<Arm> arms_;
  std::int64_t warmup_rounds_ = 0;
  double delta_ = 1;
  double reward_range_ = 0;    // L
  std::int64_t rounds_ = 0;    // t
  std::size_t chosen_ = 0;     // arm of the step that runs
  double undrafted_rate_ = 1;  // tokens per second believed of it without drafts
};

template std::unique_ptr<DepthPolicy> construct_depth_policy<BanditSpec>(Parameters&);

}  // namespace dspark
