#include "policies/depth/survival_frontier.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <tuple>

#include "tests/policies/depth/scene.h"

namespace dspark {
namespace {

using testing::Blocks;
using testing::blocks_of;
using ::testing::ElementsAre;

/// The frontier as its definition says it, one look at every request each time.
struct NaiveFrontier {
  explicit NaiveFrontier(const Blocks& drafts)
      : blocks(drafts), admitted(drafts.drafted.size(), 0), closed(drafts.drafted.size(), false) {}

  bool open(int r) const {
    return !closed[static_cast<std::size_t>(r)] &&
           admitted[static_cast<std::size_t>(r)] < blocks.drafted[static_cast<std::size_t>(r)];
  }
  /// (request, position), or (-1, 0).
  std::pair<int, int> best() const {
    std::pair<int, int> found = {-1, 0};
    std::tuple<double, int, int> least;
    for (int r = 0; r < blocks.requests; ++r) {
      if (!open(r)) continue;
      const int k = admitted[static_cast<std::size_t>(r)] + 1;
      const float survival = blocks.survival(r, k);
      if (survival == 0) continue;
      const std::tuple<double, int, int> order = {-std::floor(std::ldexp(survival, 24)), k, r};
      if (found.first < 0 || order < least) {
        least = order;
        found = {r, k};
      }
    }
    return found;
  }

  const Blocks& blocks;
  std::vector<int> admitted;
  std::vector<bool> closed;
};

Blocks random_blocks(std::mt19937& coins) {
  Blocks blocks = Blocks::random(coins, 1 + static_cast<int>(coins() % 9), 1 + static_cast<int>(coins() % 7));
  for (int& drafted : blocks.drafted)
    drafted = static_cast<int>(coins() % static_cast<unsigned>(blocks.block_size + 1));
  return blocks;
}

TEST(SurvivalFrontier, ShowsWhatTheNaiveFrontierShowsUnderAnyMixOfMoves) {
  std::mt19937 coins(11);
  OwnedFrontier frontier;
  for (int trial = 0; trial < 2000; ++trial) {
    const Blocks blocks = random_blocks(coins);
    NaiveFrontier naive(blocks);
    frontier.reset(blocks.columns());
    const auto heads = coins() % 3;  // none, some or many moves by request
    for (int move = 0; move < 60; ++move) {
      std::pair<int, int> expected;
      std::optional<FrontierToken> shown;
      if (coins() % 3 < heads) {
        const int r = static_cast<int>(coins() % static_cast<unsigned>(blocks.requests));
        expected =
            naive.open(r) ? std::pair(r, naive.admitted[static_cast<std::size_t>(r)] + 1) : std::pair(-1, 0);
        shown = frontier.head(r);
      } else {
        expected = naive.best();
        shown = frontier.best();
      }
      ASSERT_EQ(shown.has_value(), expected.first >= 0) << "trial " << trial;
      if (!shown) continue;
      ASSERT_EQ(std::pair(shown->request, shown->position), expected) << "trial " << trial;
      ASSERT_EQ(shown->survival, blocks.survival(expected.first, expected.second));
      ASSERT_EQ(shown->signals.entropy, blocks.entropy[blocks.cell(expected.first, expected.second)]);
      const std::size_t r = static_cast<std::size_t>(expected.first);
      if (coins() % 5 == 0) {
        frontier.skip();
        naive.closed[r] = true;
      } else if (coins() % 5 != 0) {
        frontier.admit();
        ++naive.admitted[r];
      }
    }
    ASSERT_EQ(std::vector<int>(frontier.admitted().begin(), frontier.admitted().end()), naive.admitted);
    int total = 0;
    for (const int a : naive.admitted) total += a;
    ASSERT_EQ(frontier.total_admitted(), total);
  }
}

TEST(SurvivalFrontier, AdmitBestTakesTheTopKAndTheyAreWholePrefixes) {
  std::mt19937 coins(12);
  OwnedFrontier frontier;
  for (int trial = 0; trial < 1000; ++trial) {
    const Blocks blocks = random_blocks(coins);
    const int k = static_cast<int>(coins() % 40);
    std::vector<std::tuple<double, int, int>> all;
    for (int r = 0; r < blocks.requests; ++r) {
      for (int position = 1; position <= blocks.drafted[static_cast<std::size_t>(r)]; ++position) {
        const float survival = blocks.survival(r, position);
        if (survival > 0) all.emplace_back(-std::floor(std::ldexp(survival, 24)), position, r);
      }
    }
    std::sort(all.begin(), all.end());
    std::vector<int> expected(blocks.drafted.size(), 0);
    for (std::size_t i = 0; i < all.size() && i < static_cast<std::size_t>(k); ++i) {
      const auto [key, position, r] = all[i];
      ASSERT_EQ(position, ++expected[static_cast<std::size_t>(r)]) << "no gap before an admitted token";
    }
    frontier.reset(blocks.columns());
    frontier.admit_best(k);
    ASSERT_EQ(std::vector<int>(frontier.admitted().begin(), frontier.admitted().end()), expected)
        << "trial " << trial;
    ASSERT_EQ(frontier.total_admitted(), std::min<int>(k, static_cast<int>(all.size())));
  }
}

TEST(SurvivalFrontier, ALargeStepIsShownInTheSameOrder) {
  // More candidates than the many buckets of the sort are worth, and as few as are sorted with the others.
  std::mt19937 coins(13);
  OwnedFrontier frontier;
  for (const int requests : {99, 100, 101, 256}) {
    Blocks blocks = Blocks::random(coins, requests, 7);
    for (int& drafted : blocks.drafted) drafted = static_cast<int>(coins() % 8);
    blocks.drafted[0] = 7;
    std::vector<std::tuple<double, int, int>> expected, shown;
    for (int r = 0; r < requests; ++r) {
      for (int k = 1; k <= blocks.drafted[static_cast<std::size_t>(r)]; ++k) {
        const float survival = blocks.survival(r, k);
        if (survival > 0) expected.emplace_back(-std::floor(std::ldexp(survival, 21)), k, r);
      }
    }
    std::sort(expected.begin(), expected.end());
    frontier.reset(blocks.columns());
    while (const auto next = frontier.best()) {
      shown.emplace_back(-std::floor(std::ldexp(next->survival, 21)), next->position, next->request);
      frontier.admit();
    }
    EXPECT_EQ(shown, expected) << requests << " requests";
  }
}

TEST(SurvivalFrontier, TiesGoToTheEarlierPositionAndThenToTheFirstRequest) {
  const Blocks blocks = blocks_of({{0.5f, 1.0f}, {0.5f, 1.0f}, {0.75f}});
  OwnedFrontier frontier;
  frontier.reset(blocks.columns());
  std::vector<std::pair<int, int>> order;
  while (const auto next = frontier.best()) {
    order.emplace_back(next->request, next->position);
    frontier.admit();
  }
  using P = std::pair<int, int>;
  EXPECT_THAT(order, ElementsAre(P(2, 1), P(0, 1), P(1, 1), P(0, 2), P(1, 2)));
}

TEST(SurvivalFrontier, TokensWithoutASurvivalAreNoCandidatesButStillHeads) {
  const Blocks blocks = blocks_of({{0.0f, 1.0f}, {1.0f, 0.0f}});
  OwnedFrontier frontier;
  frontier.reset(blocks.columns());
  frontier.admit_best(10);
  EXPECT_THAT(frontier.admitted(), ElementsAre(0, 1));
  EXPECT_FALSE(frontier.best());
  ASSERT_TRUE(frontier.head(0));
  frontier.admit();
  EXPECT_THAT(frontier.admitted(), ElementsAre(1, 1));
}

TEST(SurvivalFrontier, WhatIsBehindTheEdgeChangesNothingThatIsShown) {
  std::mt19937 coins(13);
  for (int trial = 0; trial < 500; ++trial) {
    Blocks blocks = random_blocks(coins);
    OwnedFrontier before;
    before.reset(blocks.columns());
    const int k = static_cast<int>(coins() % 12);
    std::vector<FrontierToken> shown;
    for (int i = 0; i <= k; ++i) {
      const auto next = before.best();
      if (!next) break;
      shown.push_back(*next);
      if (i < k) before.admit();
    }
    for (int r = 0; r < blocks.requests; ++r) {  // what the last `best` may show is one past the admitted
      for (int p = before.admitted()[static_cast<std::size_t>(r)] + 2; p <= blocks.block_size; ++p) {
        blocks.confidence[blocks.cell(r, p)] = static_cast<float>(coins() % 2);
      }
    }
    OwnedFrontier after;
    after.reset(blocks.columns());
    for (const FrontierToken& token : shown) {
      const auto next = after.best();
      ASSERT_TRUE(next);
      ASSERT_EQ(std::tuple(next->request, next->position, next->survival),
                std::tuple(token.request, token.position, token.survival));
      after.admit();
    }
  }
}

TEST(SurvivalFrontier, AdmitAllTakesEverythingOfRequestsThatAreOpen) {
  const Blocks blocks = blocks_of({{0.5f, 0.0f, 0.5f}, {0.9f, 0.9f}, {}});
  OwnedFrontier frontier;
  frontier.reset(blocks.columns());
  ASSERT_EQ(frontier.best()->request, 1);
  frontier.admit();
  ASSERT_TRUE(frontier.head(1));
  frontier.skip();
  frontier.admit_all();
  EXPECT_THAT(frontier.admitted(), ElementsAre(3, 1, 0));
  EXPECT_EQ(frontier.total_admitted(), 4);
}

TEST(SurvivalFrontier, TheHistoryHoldsAllSurvivalsFromTheLargest) {
  const Blocks blocks = blocks_of({{0.5f, 0.5f}, {0.75f, 0.0f}});
  OwnedFrontier frontier;
  frontier.reset(blocks.columns());
  frontier.admit_best(1);
  EXPECT_THAT(frontier.sorted_survivals_for_history(), ElementsAre(0.75f, 0.5f, 0.25f));
}

TEST(SurvivalFrontier, AStepWithoutRequestsOrDraftsIsEmpty) {
  OwnedFrontier frontier;
  for (const Blocks& blocks : {Blocks(0, 0), Blocks(3, 0)}) {
    frontier.reset(blocks.columns());
    EXPECT_FALSE(frontier.best());
    frontier.admit_all();
    frontier.admit_best(5);
    EXPECT_EQ(frontier.total_admitted(), 0);
    EXPECT_TRUE(frontier.sorted_survivals_for_history().empty());
  }
}

TEST(SurvivalFrontier, DrawnTokensAreShownOnlyOnceAdmitted) {
  Blocks blocks = blocks_of({{0.5f, 0.5f}});
  blocks.chosen = {0.25f, 0.75f};
  OwnedFrontier frontier;
  frontier.reset(blocks.columns());
  frontier.admit_best(1);
  EXPECT_EQ(frontier.drawn(0, 1).chosen, 0.25);
  EXPECT_DEATH(frontier.drawn(0, 2), "broken invariant");
}

TEST(SurvivalFrontierDeathTest, MisuseAndConfidencesThatAreNoProbabilitiesStopTheProgram) {
  OwnedFrontier frontier;
  for (const float wrong : {std::numeric_limits<float>::quiet_NaN(), -0.1f, 1.5f}) {
    const Blocks blocks = blocks_of({{0.5f, wrong}});
    EXPECT_DEATH(frontier.reset(blocks.columns()), "broken invariant");
  }
  Blocks unread = blocks_of({{0.5f}, {0.5f, 0.5f}});
  unread.confidence[unread.cell(0, 2)] = std::numeric_limits<float>::quiet_NaN();
  frontier.reset(unread.columns());  // past its end nothing is meaningful, and nothing is read
  EXPECT_DEATH(frontier.admit(), "broken invariant");
  ASSERT_TRUE(frontier.best());
  frontier.admit();
  EXPECT_DEATH(frontier.admit(), "broken invariant");
  EXPECT_DEATH(frontier.head(2), "broken invariant");
}

TEST(SurvivalFrontier, ExpectsWhatTheAdmittedTokensSurvive) {
  Blocks blocks = blocks_of({{0.5f, 0.5f}, {0.25f}});
  OwnedFrontier frontier;
  frontier.reset(blocks.columns());
  EXPECT_EQ(frontier.expected_accepted(), 0);
  frontier.admit_best(2);
  EXPECT_DOUBLE_EQ(frontier.expected_accepted(), 0.5 + 0.25);
  frontier.admit_all();
  EXPECT_DOUBLE_EQ(frontier.expected_accepted(), 0.5 + 0.25 + 0.25);
}

}  // namespace
}  // namespace dspark
