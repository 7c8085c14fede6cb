// Lemma 3 of docs/losslessness.md on the real engine: what a step's drafts are drawn from was not used
// before. Other coins for step t change nothing before t, for every registered policy, while requests come,
// go and are preempted.
#include <gtest/gtest.h>

#include <array>
#include <set>

#include "policies/elementary.h"
#include "tests/policies/depth/required_parameters.h"
#include "tests/sim/small_system.h"

namespace dspark {
namespace {

enum class KeySchedule {
  kAnchor,        // the engine's: request, anchor position, attempt, offset
  kPositionAlone  // planted: the position that the token would have, so that a dropped draft comes again
};

using Coin = std::array<std::uint32_t, 5>;

/// Blocks that hang on their coins: the confidence of position k on the coins of all positions before it.
class CoinedAcceptance final : public AcceptanceModel {
 public:
  explicit CoinedAcceptance(KeySchedule schedule) : schedule_(schedule) {}
  int block_size() const override { return 4; }

  void draw(RandomKey key, const RunnerRows& rows, int depth, unsigned signals,
            DraftedBlocks& blocks) const override {
    blocks.resize(rows.size(), depth, signals);
    for (auto* column : {&blocks.top1, &blocks.margin, &blocks.entropy, &blocks.chosen, &blocks.divergence}) {
      std::fill(column->begin(), column->end(), 0.5f);
    }
    std::set<Coin>& used = used_.emplace_back();
    for (std::size_t r = 0; r < rows.size(); ++r) {
      double sum = 0.9;
      bool accepting = true;
      blocks.accepted[r] = 0;
      for (int k = 1; k <= depth; ++k) {
        const std::size_t at = static_cast<std::size_t>(k - 1) * rows.size() + r;
        blocks.confidence[at] = static_cast<float>(sum - static_cast<double>(static_cast<int>(sum)));
        const Coin coin = coin_of(rows, r, k);
        used.insert(coin);
        RandomKey own = key;
        if (altered.contains(coin)) own.low ^= 0x5bd1e995;
        const RandomWords words =
            draw_words(own, Stream::kDraftLatent, coin[0], coin[1], coin[2], coin[3], coin[4]);
        sum += uniform_from_bits(words[0]);
        accepting = accepting && uniform_from_bits(words[1]) < static_cast<double>(blocks.confidence[at]);
        blocks.accepted[r] += accepting ? 1 : 0;
      }
    }
    shown.emplace_back(blocks.confidence.begin(), blocks.confidence.end());
    if (at_draw) at_draw();
  }

  std::set<Coin> altered;
  std::function<void()> at_draw;
  mutable std::vector<std::vector<float>> shown;  // confidences, by drafting step
  const std::vector<std::set<Coin>>& used() const { return used_; }

 private:
  Coin coin_of(const RunnerRows& rows, std::size_t r, int k) const {
    const auto anchor = static_cast<std::uint32_t>(rows.anchor_position[r]);
    const auto offset = static_cast<std::uint32_t>(k);
    if (schedule_ == KeySchedule::kPositionAlone)
      return {rows.source[r], rows.ordinal[r], anchor + offset, 0, 0};
    return {rows.source[r], rows.ordinal[r], anchor, static_cast<std::uint32_t>(rows.attempt[r]), offset};
  }

  KeySchedule schedule_;
  mutable std::vector<std::set<Coin>> used_;  // by drafting step
};

/// What a run did, step by step, and where each drafting step stood in it.
class RecordedRun final : public Watcher {
 public:
  RecordedRun(const DepthPolicyEntry& policy, KeySchedule schedule, std::set<Coin> altered)
      : acceptance(std::make_shared<CoinedAcceptance>(schedule)) {
    acceptance->altered = std::move(altered);
    acceptance->at_draw = [this] { ended_before_draw.push_back(steps.size()); };
    system_.acceptance = acceptance;
    system_.options.kv_blocks = 40;  // preempts
    system_.policy_name = policy.name;
    system_.policy_value = "";
    system_.policy_parameters = testing::required_parameters(policy.name);
    system_.cost_parts = {
        .verify_table = *CostTable::make({{1, 4e-3}, {8, 4.4e-3}, {16, 5.5e-3}, {32, 8e-3}}, {}, "test"),
        .overhead_seconds = 1e-4};
    system_.build();
    system_.simulation->watch(*this);
    system_.simulation->run([this] { return steps.size() >= kSteps; }, nullptr);
  }

  void step_ended(const StepRecord& record) override {
    std::vector<double> step{static_cast<double>(record.begin), record.seconds,
                             static_cast<double>(record.waiting_requests)};
    for (const auto& column : {record.block_size, record.drafted, record.verified, record.accepted}) {
      step.insert(step.end(), column.begin(), column.end());
    }
    steps.push_back(std::move(step));
  }

  static constexpr std::size_t kSteps = 60;
  std::shared_ptr<CoinedAcceptance> acceptance;
  std::vector<std::vector<double>> steps;
  std::vector<std::size_t> ended_before_draw;  // steps that had ended, by drafting step

 private:
  testing::SmallSystem system_;
};

/// Drafting steps whose coins, altered, changed something before them.
int stale_steps(const DepthPolicyEntry& policy, KeySchedule schedule) {
  const RecordedRun run(policy, schedule, {});
  int stale = 0;
  for (std::size_t t = 1; t < run.acceptance->used().size(); t += 3) {
    const RecordedRun other(policy, schedule, run.acceptance->used()[t]);
    const std::size_t before = run.ended_before_draw[t];
    bool same = other.steps.size() >= before && other.acceptance->shown.size() >= t;
    same = same && std::equal(run.steps.begin(), run.steps.begin() + static_cast<std::ptrdiff_t>(before),
                              other.steps.begin());
    same = same && std::equal(run.acceptance->shown.begin(),
                              run.acceptance->shown.begin() + static_cast<std::ptrdiff_t>(t),
                              other.acceptance->shown.begin());
    stale += same ? 0 : 1;
  }
  return stale;
}

TEST(Freshness, OtherCoinsForAStepChangeNothingBeforeItWhateverThePolicy) {
  for (const DepthPolicyEntry& policy : depth_policies()) {
    EXPECT_EQ(stale_steps(policy, KeySchedule::kAnchor), 0) << policy.name;
  }
}

TEST(Freshness, NoCoinIsUsedInTwoSteps) {
  for (const DepthPolicyEntry& policy : depth_policies()) {
    const RecordedRun run(policy, KeySchedule::kAnchor, {});
    std::set<Coin> all;
    std::size_t count = 0;
    for (const std::set<Coin>& step : run.acceptance->used()) {
      all.insert(step.begin(), step.end());
      count += step.size();
    }
    EXPECT_EQ(all.size(), count) << policy.name;
  }
}

TEST(Freshness, DrawsKeyedByPositionAloneAreFound) {
  for (const DepthPolicyEntry& policy : depth_policies()) {
    if (policy.name == "fixed" || policy.name == "dspark_async") {
      EXPECT_GT(stale_steps(policy, KeySchedule::kPositionAlone), 0) << policy.name;
    }
  }
}

}  // namespace
}  // namespace dspark
