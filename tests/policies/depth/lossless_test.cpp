// Lemma 1 of LOSSLESS.md on every registered policy: draws that agree on what was submitted give the same
// decision.
#include <gtest/gtest.h>

#include "tests/policies/depth/scene.h"

namespace dspark {
namespace {

using testing::Blocks;
using testing::random_staircase;
using testing::Scene;

using Maker = std::function<std::unique_ptr<DepthPolicy>()>;

/// Other draws that agree with `blocks` on the submitted tokens: signals known before x_{l+1} is drawn depend
/// on those alone and stay; what is drawn at l + 1, and every signal behind it, changes.
Blocks other_draws(std::mt19937& coins, const Blocks& blocks, const std::vector<int>& submitted) {
  Blocks other = blocks;
  const Blocks fresh = Blocks::random(coins, blocks.requests, blocks.block_size);
  for (int r = 0; r < blocks.requests; ++r) {
    const int length = submitted[static_cast<std::size_t>(r)];
    for (int k = length + 1; k <= blocks.block_size; ++k) {
      const std::size_t at = blocks.cell(r, k);
      other.chosen[at] = fresh.chosen[at];
      if (k == length + 1) continue;
      other.confidence[at] = fresh.confidence[at];
      other.top1[at] = fresh.top1[at];
      other.margin[at] = fresh.margin[at];
      other.entropy[at] = fresh.entropy[at];
    }
    int& accepted = other.accepted[static_cast<std::size_t>(r)];
    if (accepted >= length)
      accepted = length + static_cast<int>(coins() % static_cast<unsigned>(blocks.block_size - length + 1));
  }
  return other;
}

/// Decisions that changed although nothing did that they may depend on.
int violations(const Maker& make, unsigned seed) {
  std::mt19937 coins(seed);
  int count = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const int requests = 1 + static_cast<int>(coins() % 4);
    const int block_size = 2 + static_cast<int>(coins() % 4);
    Scene scene(requests, block_size, random_staircase(coins, requests * (block_size + 1)));
    const auto rule = make();
    for (int step = 0; step < 4; ++step) {
      Blocks blocks = Blocks::random(coins, requests, block_size);
      // Decisions are repeated on the same object: `plan` and `choose` may change it, but never by this
      // step's draws.
      const std::vector<int> decision = scene.decide(*rule, blocks);
      for (int i = 0; i < 20; ++i) {
        Blocks other = other_draws(coins, blocks, decision);
        count += scene.decide(*rule, other) != decision;
      }
      scene.finish(*rule, blocks, scene.decide(*rule, blocks));
    }
  }
  return count;
}

TEST(Lossless, NoPolicyThatSaysSoDependsOnDrawsItDidNotSubmit) {
  for (const DepthPolicyEntry& entry : depth_policies()) {
    const Maker make = [&] {
      Parameters parameters = Parameters::describing();
      return entry.construct(parameters);
    };
    if (!make()->traits().lossless) continue;
    EXPECT_EQ(violations(make, 31), 0) << entry.name;
  }
}

/// Appendix A's retrospective search: the best total over all survivals of this very step.
class RetrospectiveSearch final : public DepthPolicy {
 public:
  PolicyTraits traits() const override { return {.lossless = false}; }
  void choose_in_hindsight(const HindsightView& view, std::span<int> lengths) override {
    SurvivalFrontier all;
    all.reset(view.drafts);
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
    all.reset(view.drafts);
    all.admit_best(best_total);
    std::copy(all.admitted().begin(), all.admitted().end(), lengths.begin());
  }
};

/// Cuts at the first token whose own draw was unlikely: looks at what it decides about.
class ChosenThreshold final : public DepthPolicy {
 public:
  PolicyTraits traits() const override { return {.lossless = false, .signals = kChosen}; }
  void choose_in_hindsight(const HindsightView& view, std::span<int> lengths) override {
    for (std::size_t r = 0; r < lengths.size(); ++r) {
      const int row = static_cast<int>(r);
      lengths[r] = 0;
      while (lengths[r] < view.drafts.drafted[r] && view.drafts.after_draw(row, lengths[r] + 1).chosen > 0.5)
        ++lengths[r];
    }
  }
};

TEST(Lossless, RulesThatAnticipateAreCaught) {
  EXPECT_GT(violations([] { return std::make_unique<RetrospectiveSearch>(); }, 32), 0);
  EXPECT_GT(violations([] { return std::make_unique<ChosenThreshold>(); }, 33), 0);
  EXPECT_GT(violations([] { return testing::policy("oracle"); }, 34), 0);
}

}  // namespace
}  // namespace dspark
