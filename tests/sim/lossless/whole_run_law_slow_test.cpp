// The law of a whole reply, by going through everything that can happen: rounds with budgets from `lag`
// rounds ago keep it where drafts are drawn afresh, and not where a dropped draft comes again at its
// position.
#include <gtest/gtest.h>

#include <map>

#include "sim/lossless/played_system.h"
#include "tests/policies/depth/scene.h"

namespace dspark {
namespace {

constexpr int kTokens = 4;  // of the reply whose law is asked

/// A drafter that is the target too, so that all that is submitted is accepted: each token A or B alike, and
/// a confidence of its own after each text.
class Text {
 public:
  explicit Text(unsigned seed) : seed_(seed) {}
  double confidence(const std::vector<int>& text) const {
    std::uint64_t hash = seed_;
    for (const int token : text)
      hash = (hash * 31 + static_cast<std::uint64_t>(token) + 7) * 2654435761u % 1000003;
    return std::array{.25, .5, .75, 1.0}[hash % 4];
  }
  /// The drafter of a block behind `text`.
  std::shared_ptr<const DraftModels> behind(const std::vector<int>& text, int block_size) const {
    DraftModel model{{2, block_size, {.5, .5, 0}}, {2, block_size}};
    std::vector<int> prefix;
    for (int length = 0; length < block_size; ++length) {
      for (std::int64_t code = 0; code < power(2, length); ++code) {
        prefix.assign(static_cast<std::size_t>(length), 0);
        write_tokens(code, 2, prefix);
        std::vector<int> whole = text;
        whole.insert(whole.end(), prefix.begin(), prefix.end());
        model.head.after(prefix) = confidence(whole);
      }
    }
    return std::make_shared<const DraftModels>(DraftModels{std::move(model)});
  }

 private:
  unsigned seed_;
};

/// One request with blocks of lag + 2, the shortest in which a token that comes again shows. All or nothing
/// pays, so that the first token's fate hangs on the last survival of the block from which the budget is.
CheckedSystem system_of(int lag) {
  std::vector<CostTable::Point> points{{1, 1}};
  for (int rows = 2; rows <= lag + 2; ++rows) points.push_back({static_cast<double>(rows), 9});
  points.push_back({static_cast<double>(lag + 3), 2.5});
  return {.size = {.vocabulary = 2, .block_size = lag + 2, .requests = 1},
          .cost = testing::table_cost(points)};
}
PolicyMaker lagged(int lag) {
  return [lag] {
    return testing::policy("dspark_async",
                           testing::written_map({{"lag", testing::written(std::to_string(lag))}}));
  };
}

class WholeRun {
 public:
  WholeRun(int lag, unsigned seed) : lag_(lag), make_(lagged(lag)), system_(system_of(lag)), text_(seed) {}

  /// Total variation between the law of the first kTokens and that of the target. `fresh`: every round draws
  /// its block anew; else the draft of a position is drawn once.
  double distance(bool fresh) {
    law_.clear();
    const int block_size = system_.size.block_size;
    const Rounds before = rounds_before();
    if (fresh) {
      extend({}, before, 1);
    } else {
      // One coin for each position that can be drafted; bonus tokens have coins of their own.
      for (std::int64_t coins = 0; coins < power(2, kTokens - 1 + block_size); ++coins) {
        std::vector<int> fixed(static_cast<std::size_t>(kTokens - 1 + block_size));
        write_tokens(coins, 2, fixed);
        fixed_ = fixed;
        extend({}, before, 1.0 / static_cast<double>(power(2, kTokens - 1 + block_size)));
      }
      fixed_.clear();
    }
    double sum = 0;
    for (std::int64_t y = 0; y < power(2, kTokens); ++y) {
      std::vector<int> text(kTokens);
      write_tokens(y, 2, text);
      sum += std::abs(law_[text] - 1.0 / power(2, kTokens)) / 2;
    }
    return sum;
  }

 private:
  using Rounds = std::vector<PlayedRound>;

  /// Rounds of the text before, all of whose drafts were submitted, so that none of them comes again: budgets
  /// are of known survivals from the first round on.
  Rounds rounds_before() const {
    Rounds rounds;
    for (int i = 0; i < lag_; ++i) {
      PlayedRound round{.models = text_.behind({i, 1, 1}, system_.size.block_size)};
      round.tokens.assign(static_cast<std::size_t>(system_.size.block_size), 0);
      round.accepted = {system_.size.block_size};
      rounds.push_back(std::move(round));
    }
    return rounds;
  }

  void extend(const std::vector<int>& text, const Rounds& rounds, double probability) {
    if (static_cast<int>(text.size()) >= kTokens) {
      law_[{text.begin(), text.begin() + kTokens}] += probability;
      return;
    }
    const int block_size = system_.size.block_size;
    const auto models = text_.behind(text, block_size);
    const std::int64_t drafts = fixed_.empty() ? power(2, block_size) : 1;
    for (std::int64_t number = 0; number < drafts; ++number) {
      PlayedRound round{.models = models};
      round.tokens.assign(static_cast<std::size_t>(block_size), 0);
      round.accepted = {block_size};
      if (fixed_.empty()) {
        write_tokens(number, 2, round.tokens);
      } else {
        std::copy_n(fixed_.begin() + static_cast<std::ptrdiff_t>(text.size()), block_size,
                    round.tokens.begin());
      }
      const int submitted = decide(rounds, round);
      for (const int bonus : {0, 1}) {
        std::vector<int> longer = text;
        longer.insert(longer.end(), round.tokens.begin(), round.tokens.begin() + submitted);
        longer.push_back(bonus);
        Rounds further = rounds;
        further.push_back(round);
        extend(longer, further, probability / static_cast<double>(drafts) / 2);
      }
    }
  }

  int decide(const Rounds& rounds, const PlayedRound& round) const {
    const auto policy = make_();
    PlayedSystem played(system_, *policy);
    for (const PlayedRound& earlier : rounds) played.play(earlier);
    return played.decide(*round.models, round.tokens, round.accepted)[0];
  }

  int lag_;
  PolicyMaker make_;
  CheckedSystem system_;
  Text text_;
  std::vector<int> fixed_;  // drafted token by position behind the prompt; empty: fresh
  std::map<std::vector<int>, double> law_;
};

TEST(WholeRunLaw, IsKeptByALaggedBudgetWithFreshDraws) {
  // 26 and 11 are among those that the fault below changes.
  for (const unsigned seed : {1u, 26u}) EXPECT_EQ(WholeRun(1, seed).distance(true), 0) << seed;
  EXPECT_EQ(WholeRun(2, 11).distance(true), 0);
}

TEST(WholeRunLaw, IsChangedWhereADroppedDraftComesAgain) {
  for (const int lag : {1, 2}) {
    int changed = 0;
    for (unsigned seed = 1; seed <= 40; ++seed) {
      changed += WholeRun(lag, seed).distance(false) > 1e-9 ? 1 : 0;
    }
    EXPECT_GT(changed, 0) << lag;
  }
}

}  // namespace
}  // namespace dspark
