#include "executor/drafter/draft_cache.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "tests/executor/runner/served_texts.h"

namespace dspark {
namespace {

constexpr RequestId kFirst{3};
constexpr RequestId kSecond{0};

DraftCache cache_of(std::size_t tokens) {
  ModelPlan plan;
  plan.layers.push_back({.heads = 2, .kv_heads = 1, .head_dim = 4, .attention = {}});
  auto cache = DraftCache::make(plan, tokens, testing::f32_kernels());
  EXPECT_TRUE(cache);
  return std::move(*cache);
}

TEST(DraftCache, ATextGrowsIsCutAndBeginsAnew) {
  DraftCache cache = cache_of(32);
  EXPECT_EQ(cache.length(kFirst), 0);
  ASSERT_TRUE(cache.extend(kFirst, 0, 9, {}));
  ASSERT_TRUE(cache.extend(kFirst, 9, 4, {}));
  EXPECT_EQ(cache.length(kFirst), 13);
  EXPECT_EQ(cache.free_blocks(), 2);
  ASSERT_TRUE(cache.extend(kFirst, 0, 3, {}));
  EXPECT_EQ(cache.length(kFirst), 3) << "after a preemption";
  cache.forget(kFirst);
  EXPECT_EQ(cache.length(kFirst), 0);
  EXPECT_EQ(cache.free_blocks(), 4);
}

TEST(DraftCache, WhereARequestFindsNoRoomItIsForgottenUntilItBeginsAnew) {
  DraftCache cache = cache_of(32);
  ASSERT_TRUE(cache.extend(kFirst, 0, 16, {}));
  ASSERT_TRUE(cache.extend(kSecond, 0, 10, {}));
  EXPECT_TRUE(cache.reserve(kSecond, 16));
  EXPECT_FALSE(cache.reserve(kSecond, 17));
  EXPECT_EQ(cache.length(kSecond), 10) << "what cannot be drafted is kept";
  EXPECT_FALSE(cache.extend(kSecond, 10, 7, {}));
  EXPECT_EQ(cache.length(kSecond), 0);
  EXPECT_EQ(cache.free_blocks(), 2);
  EXPECT_FALSE(cache.extend(kSecond, 7, 1, {})) << "rows before it are missing";
  EXPECT_EQ(cache.free_blocks(), 2);
  EXPECT_TRUE(cache.extend(kSecond, 0, 5, {}));
}

TEST(DraftCache, NoBlockIsTwoRequests) {
  DraftCache cache = cache_of(64);
  ASSERT_TRUE(cache.extend(kFirst, 0, 12, {}));
  ASSERT_TRUE(cache.extend(kSecond, 0, 20, {}));
  ASSERT_TRUE(cache.reserve(kFirst, 17));
  const std::vector<RequestId> ids{kSecond, kFirst};
  const std::vector<std::int32_t> first_row{0, 2, 7}, first_position{18, 12};
  const RaggedRows rows = cache.rows(ids, first_row, first_position);
  EXPECT_EQ(rows.requests(), 2u);
  EXPECT_EQ(rows.rows(), 7u);
  std::set<std::int32_t> blocks;
  for (std::size_t r = 0; r < 2; ++r)
    for (std::size_t i = 0; i < 3; ++i) blocks.insert(rows.block_table.row(r)[i]);
  EXPECT_EQ(blocks.size(), 6u);
  EXPECT_EQ(cache.free_blocks(), 2);
}

TEST(DraftCache, TextsThatBeginAlikeShareWhatIsKeptOfTheirBeginning) {
  DraftCache cache = cache_of(64);
  const SharedPrefix alike{.prefix = 7, .tokens = 20};
  ASSERT_TRUE(cache.extend(kFirst, 0, 24, alike));
  EXPECT_FALSE(cache.extend(kSecond, 8, 4, {.prefix = 8, .tokens = 20})) << "begins otherwise";
  EXPECT_FALSE(cache.extend(kSecond, 24, 4, alike)) << "the third block is not the prefix's alone";
  ASSERT_TRUE(cache.extend(kSecond, 16, 4, alike));
  EXPECT_EQ(cache.length(kSecond), 20);
  EXPECT_EQ(cache.free_blocks(), 4) << "three of the first, one of the second";
  cache.forget(kFirst);
  EXPECT_EQ(cache.free_blocks(), 5);
  cache.forget(kSecond);
  EXPECT_EQ(cache.free_blocks(), 8);
  EXPECT_TRUE(cache.extend(kSecond, 16, 4, alike)) << "still there";
  cache.forget(kSecond);
  ASSERT_TRUE(cache.extend(kFirst, 0, 64, {}));
  cache.forget(kFirst);
  EXPECT_FALSE(cache.extend(kSecond, 16, 4, alike)) << "its place was needed";
}

}  // namespace
}  // namespace dspark
