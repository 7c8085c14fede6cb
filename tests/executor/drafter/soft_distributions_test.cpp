#include "executor/drafter/soft_distributions.h"

#include <gtest/gtest.h>

#include "tests/executor/drafter/drafted_model.h"

namespace dspark {
namespace {

const std::vector<std::int32_t> kText{5, 9, 33, 7, 7, 60, 2, 18};

/// What a drafter says of two requests of one text.
struct Said {
  std::vector<int> drafted;
  std::vector<std::int32_t> tokens;
  std::vector<float> drawn_from, soft;  // (entries, vocabulary); empty where there are none
  std::size_t vocabulary = 0;

  Said(const std::string& folder, float temperature, bool asked) {
    DraftedModel model(folder);
    const auto depth = static_cast<std::size_t>(model.drafter().block_size());
    const std::vector<DrawKey> keys = [&] {
      std::vector<DrawKey> all(depth);
      for (std::size_t k = 0; k < depth; ++k) all[k].counter[0] = static_cast<std::uint32_t>(k);
      return all;
    }();
    std::vector<DraftRequest> requests;
    for (int id = 0; id < 2; ++id) {
      model.tell(RequestId{id}, kText);
      requests.push_back({.id = RequestId{id},
                          .text = kText,
                          .planned = static_cast<int>(depth) - id,
                          .rule = {.temperature = temperature},
                          .keys = std::span(keys).first(depth - static_cast<std::size_t>(id))});
    }
    drafted.resize(2);
    tokens.resize(2 * depth);
    std::vector<float> confidence(2 * depth);
    model.drafter().draft(requests, {.stride = 2,
                                     .drafted = drafted,
                                     .tokens = tokens,
                                     .confidence = confidence,
                                     .soft_distributions = asked});
    EXPECT_TRUE(model.drafter().has_soft_distributions());
    vocabulary = model.decoder().plan().vocabulary;
    drawn_from = read(model.kernels(), model.drafter().distributions());
    soft = read(model.kernels(), model.drafter().soft_distributions());
  }

  static std::vector<float> read(Kernels& kernels, View<const float, 2> rows) {
    std::vector<float> numbers(rows.size());
    if (!rows.empty())
      kernels.read(reinterpret_cast<const std::byte*>(rows.data), std::as_writable_bytes(std::span(numbers)));
    return numbers;
  }
  std::vector<float> row(const std::vector<float>& of, int k, std::size_t request) const {
    const std::size_t entry = static_cast<std::size_t>(k - 1) * 2 + request;
    return {of.begin() + static_cast<std::ptrdiff_t>(entry * vocabulary),
            of.begin() + static_cast<std::ptrdiff_t>((entry + 1) * vocabulary)};
  }
};

class SoftDistributionsOf : public ::testing::TestWithParam<const char*> {};

TEST_P(SoftDistributionsOf, AreThoseThatAreDrawnFromWhereSomethingIsDrawn) {
  const Said said(drafter_data() + GetParam(), 0.7F, true);
  ASSERT_EQ(said.drafted[0], said.drafted[1] + 1);
  for (std::size_t request = 0; request < 2; ++request) {
    for (int k = 1; k <= said.drafted[request]; ++k)
      EXPECT_EQ(said.row(said.soft, k, request), said.row(said.drawn_from, k, request)) << k;
  }
}

TEST_P(SoftDistributionsOf, OfAGreedyDraftAreThoseOfTemperatureOne) {
  const Said greedy(drafter_data() + GetParam(), 0, true);
  const Said drawn(drafter_data() + GetParam(), 1, true);
  EXPECT_TRUE(greedy.drawn_from.empty());
  for (std::size_t request = 0; request < 2; ++request)
    EXPECT_EQ(greedy.row(greedy.soft, 1, request), drawn.row(drawn.drawn_from, 1, request));
  for (int k = 1; k <= greedy.drafted[0]; ++k) {
    const std::vector<float> row = greedy.row(greedy.soft, k, 0);
    const auto likeliest = std::max_element(row.begin(), row.end()) - row.begin();
    EXPECT_EQ(likeliest, greedy.tokens[static_cast<std::size_t>(k - 1) * 2]) << k;
  }
}

TEST_P(SoftDistributionsOf, AreNotKeptWhereNobodyAsksAndChangeNoDraft) {
  for (const float temperature : {0.0F, 0.7F}) {
    const Said asked(drafter_data() + GetParam(), temperature, true);
    const Said unasked(drafter_data() + GetParam(), temperature, false);
    EXPECT_TRUE(unasked.soft.empty());
    EXPECT_EQ(unasked.tokens, asked.tokens);
    EXPECT_EQ(unasked.drawn_from, asked.drawn_from);
  }
}

INSTANTIATE_TEST_SUITE_P(Drafters, SoftDistributionsOf,
                         ::testing::Values("dspark_vanilla", "dflash", "speculators_dspark",
                                           "eagle3_speculators", "mtp_qwen3"));

}  // namespace
}  // namespace dspark
