#pragma once

#include <algorithm>
#include <memory>
#include <numeric>

#include "policies/depth/hindsight_frontier.h"

// Policies that change the output, one for each way that is known; the checker must expose them.
namespace dspark::testing {

/// Looks at everything and says that it does not.
class Hindsight : public DepthPolicy {
 public:
  PolicyTraits traits() const override { return {.lossless = false}; }
};

/// Appendix A's retrospective search: the best total over all survivals of this very step.
class RetrospectiveSearch final : public Hindsight {
 public:
  void choose_in_hindsight(const HindsightView& view, std::span<int> lengths) override {
    HindsightFrontier all;
    all.reset(view);
    double tokens = view.step.requests();
    double best = tokens / view.step.seconds(0);
    int best_total = 0;
    for (int n = 1; const auto next = all.best(); ++n) {
      tokens += next->survival;
      all.admit();
      if (tokens / view.step.seconds(n) <= best) continue;
      best = tokens / view.step.seconds(n);
      best_total = n;
    }
    all.reset(view);
    all.admit_best(best_total);
    std::copy(all.admitted().begin(), all.admitted().end(), lengths.begin());
  }
};

/// Stops after an unlikely token. Harmless while that token is submitted.
class ChosenStop final : public DraftStop {
 public:
  bool keep_drafting(const DraftedToken& token) const override { return token.after.chosen > 0.5; }
};
class StopsAtUnlikelyTokens final : public DepthPolicy {
 public:
  PlanAnswer plan(const PlanView&, BlockPlan&) override { return PlanAnswer::kVerifyAll; }
  const DraftStop* draft_stop() const override { return &stop_; }

 private:
  ChosenStop stop_;
};

/// Remembers what its draft stop was shown, and admits by it. `post_draw`: the chosen probability; else a
/// signal that was known before its own token, and reveals the one before that.
class CarriesFromTheStop final : public DepthPolicy {
 public:
  explicit CarriesFromTheStop(bool post_draw) : stop_(post_draw) {}
  PlanAnswer plan(const PlanView&, BlockPlan&) override {
    stop_.seen = 0;
    return PlanAnswer::kChoose;
  }
  const DraftStop* draft_stop() const override { return &stop_; }
  void choose(const Step&, SurvivalFrontier& frontier) override {
    frontier.admit_best(stop_.seen > 1 ? 2 : 0);
  }

 private:
  class Remembers final : public DraftStop {
   public:
    explicit Remembers(bool post_draw) : post_draw_(post_draw) {}
    bool keep_drafting(const DraftedToken& token) const override {
      if (post_draw_ || token.position == 2) seen += post_draw_ ? token.after.chosen : 2 * token.before.top1;
      return true;
    }
    mutable double seen = 0;

   private:
    bool post_draw_;
  };
  Remembers stop_;
};

/// Spends what the drafts of this step were long.
class BudgetFromDraftedLengths final : public DepthPolicy {
 public:
  const DraftStop* draft_stop() const override { return &stop_; }
  void choose(const Step& step, SurvivalFrontier& frontier) override {
    frontier.admit_best(std::accumulate(step.planned.begin(), step.planned.end(), 0) / 2);
  }

 private:
  ChosenStop stop_;
};

/// Spends more where drafting took more passes.
class BudgetFromDraftPasses final : public DepthPolicy {
 public:
  const DraftStop* draft_stop() const override { return &stop_; }
  void choose(const Step& step, SurvivalFrontier& frontier) override {
    const double two_passes =
        step.cost->draft_seconds(step.requests(), 2) + step.cost->overhead_seconds(true);
    frontier.admit_best(step.draft_and_overhead_seconds >= two_passes ? step.requests() : 0);
  }

 private:
  ChosenStop stop_;
};

/// Verifies as many tokens as will be accepted.
class AcceptedCounts final : public Hindsight {
 public:
  void choose_in_hindsight(const HindsightView& view, std::span<int> lengths) override {
    std::copy(view.drafts.accepted_if_verified.begin(), view.drafts.accepted_if_verified.end(),
              lengths.begin());
  }
};

/// Two requests, each submitted where the other's second confidence is high: each alone keeps its law.
class MutualDependence final : public Hindsight {
 public:
  void choose_in_hindsight(const HindsightView& view, std::span<int> lengths) override {
    for (std::size_t r = 0; r < lengths.size(); ++r) {
      const int other = static_cast<int>(lengths.size() - 1 - r);
      lengths[r] = lengths.size() == 2 && view.drafts.before_draw(other, 2).confidence > 0.5 ? 1 : 0;
    }
  }
};

/// The best tokens by conditional confidence, which may rise within a request.
class ScoresThatRise final : public Hindsight {
 public:
  void choose_in_hindsight(const HindsightView& view, std::span<int> lengths) override {
    int best_request = 0;
    double best = -1;
    for (int r = 0; r < static_cast<int>(lengths.size()); ++r) {
      for (int k = 1; k <= view.drafts.drafted[static_cast<std::size_t>(r)]; ++k) {
        const double score = view.drafts.before_draw(r, k).confidence;
        if (score <= best) continue;
        best = score;
        best_request = r;
        std::fill(lengths.begin(), lengths.end(), 0);
        lengths[static_cast<std::size_t>(best_request)] = k;
      }
    }
  }
};

/// Keeps the output for two rounds, and looks ahead from the third on.
class BeginsInRoundThree final : public Hindsight {
 public:
  void choose_in_hindsight(const HindsightView& view, std::span<int> lengths) override {
    if (rounds_ >= 2) return search_.choose_in_hindsight(view, lengths);
    std::fill(lengths.begin(), lengths.end(), 1);
  }
  void observe(const StepOutcome&) override { ++rounds_; }

 private:
  int rounds_ = 0;
  RetrospectiveSearch search_;
};

}  // namespace dspark::testing
