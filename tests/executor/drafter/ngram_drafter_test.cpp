#include "executor/drafter/ngram_drafter.h"

#include <gtest/gtest.h>

#include <vector>

namespace dspark {
namespace {

using Text = std::vector<std::int32_t>;

TEST(NgramDrafter, FindsTheLongestMatchAndOfEqualOnesTheLast) {
  const Text text = {1, 2, 3, 9, 7, 2, 3, 8, 5, 1, 2, 3};
  EXPECT_EQ(find_ngram(text, 1, 5).next, 3u) << "1 2 3 stood at the beginning";
  EXPECT_EQ(find_ngram(text, 1, 5).length, 3);
  EXPECT_EQ(find_ngram(text, 1, 2).next, 7u) << "2 3 stood later too";
  EXPECT_EQ(find_ngram(Text{4, 5, 4, 6, 4}, 1, 3).next, 3u) << "4 stood twice, with nothing longer";
  EXPECT_EQ(find_ngram(text, 4, 5).length, 0);
  EXPECT_EQ(find_ngram(Text{1}, 1, 3).length, 0);
  EXPECT_EQ(find_ngram(Text{4, 4}, 1, 3).length, 1);
}

TEST(NgramDrafter, ProposesWhatFollowedAndGoesOnInAPeriod) {
  NgramDrafter drafter({.block_size = 5, .longest_match = 3, .shortest_match = 2});
  const Text periodic = {5, 6, 7, 5, 6}, plain = {1, 2, 3, 4, 8, 9, 1, 2}, nothing = {1, 2, 3, 4};
  const std::vector<DraftRequest> requests = {{.text = periodic, .planned = 5},
                                              {.text = plain, .planned = 3},
                                              {.text = nothing, .planned = 5},
                                              {.text = periodic, .planned = 0}};
  std::vector<int> drafted(4, -1);
  std::vector<std::int32_t> tokens(20, -1);
  std::vector<float> confidence(20, -1), margin(20, -1);
  drafter.draft(
      requests,
      {.stride = 4, .drafted = drafted, .tokens = tokens, .confidence = confidence, .margin = margin});
  EXPECT_EQ(drafted, (std::vector<int>{5, 3, 0, 0}));
  const auto block = [&](std::size_t r) {
    Text result;
    for (int k = 0; k < drafted[r]; ++k) result.push_back(tokens[static_cast<std::size_t>(k) * 4 + r]);
    return result;
  };
  EXPECT_EQ(block(0), (Text{7, 5, 6, 7, 5}));
  EXPECT_EQ(block(1), (Text{3, 4, 8}));
  EXPECT_FLOAT_EQ(margin[0], 2);
  EXPECT_FLOAT_EQ(confidence[0], 0.5f);
  EXPECT_TRUE(drafter.distributions().empty());
}

}  // namespace
}  // namespace dspark
