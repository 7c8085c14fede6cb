#include "executor/profile/profile_grid.h"

#include <gtest/gtest.h>

namespace dspark {
namespace {

constexpr ProfileLimits kRoomy{.kv_blocks = 1 << 20, .block_tokens = 16, .max_positions = 4096};

TEST(ProfilePoint, SpreadsItsRowsEvenlyAndCountsWhatTheyAttendTo) {
  const ProfilePoint point{.tokens = 5, .requests = 2, .context_tokens = 10};
  EXPECT_EQ(point.rows_of(0), 3);
  EXPECT_EQ(point.rows_of(1), 2);
  EXPECT_EQ(point.attended_tokens(), (11 + 12 + 13) + (11 + 12));
  EXPECT_EQ(point.blocks(8), 2 + 2);
  EXPECT_EQ(point.blocks(4), 4 + 3);
}

TEST(ProfileGrid, HasEveryCombinationWithARowForEachRequest) {
  const auto grid = make_profile_grid({{1, 2, 4}, {1, 2, 4}, {0, 100}}, kRoomy);
  ASSERT_TRUE(grid);
  EXPECT_EQ(grid->left_out, 0);
  ASSERT_EQ(grid->points.size(), (1 + 2 + 3) * 2u);
  for (const ProfilePoint& point : grid->points) EXPECT_LE(point.requests, point.tokens);
  EXPECT_EQ(grid->points.front().tokens, 1) << "the first point is the smallest: drift is measured by it";
  EXPECT_EQ(grid->points.back().context_tokens, 100);
}

TEST(ProfileGrid, LeavesOutWhatTheCacheDoesNotHold) {
  const auto grid = make_profile_grid({{1, 4}, {1, 4}, {0, 100}},
                                      {.kv_blocks = 7, .block_tokens = 16, .max_positions = 4096});
  ASSERT_TRUE(grid);
  EXPECT_EQ(grid->left_out, 1) << "four contexts of 101 tokens are 28 blocks, one is seven";
  EXPECT_EQ(grid->points.size(), 5u);
}

std::string error_of(const ProfileSizes& sizes, const ProfileLimits& limits = kRoomy) {
  const auto grid = make_profile_grid(sizes, limits);
  return grid ? "" : to_string(grid.error());
}

TEST(ProfileGrid, SaysWhatIsWrongWithItsSizes) {
  EXPECT_NE(error_of({{4}, {1}, {0}}).find("one size of a step"), std::string::npos);
  EXPECT_NE(error_of({{1, 2}, {}, {0}}).find("no sizes of requests"), std::string::npos);
  EXPECT_NE(error_of({{4, 2}, {1}, {0}}).find("tokens 2 comes after 4"), std::string::npos);
  EXPECT_NE(error_of({{1, 1}, {1}, {0}}).find("tokens 1 comes after 1"), std::string::npos);
  EXPECT_NE(error_of({{0, 2}, {1}, {0}}).find("tokens 0 is not in 1"), std::string::npos);
  EXPECT_NE(error_of({{1, 2}, {0, 1}, {0}}).find("requests 0 is not in 1"), std::string::npos);
  EXPECT_NE(error_of({{1, 2}, {1}, {-1}}).find("context -1 is not in 0"), std::string::npos);
  EXPECT_NE(error_of({{1, 2}, {2}, {0}}).find("no point has 1 tokens"), std::string::npos);
  EXPECT_NE(error_of({{1, 2}, {1}, {4095}}).find("longer than the model's 4096 positions"),
            std::string::npos);
  EXPECT_NE(error_of({{1, 2}, {1}, {100}}, {3, 16, 4096}).find("more KV blocks"), std::string::npos);
}

}  // namespace
}  // namespace dspark
