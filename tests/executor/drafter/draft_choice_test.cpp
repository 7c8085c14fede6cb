#include "executor/drafter/draft_choice.h"

#include <gtest/gtest.h>

#include "tests/executor/drafter/drafted_model.h"

namespace dspark {
namespace {

const std::vector<std::int32_t> kText = {9, 30, 12, 41, 3};

std::vector<DrawKey> keys_of(std::uint32_t seed, int block_size) {
  std::vector<DrawKey> keys(static_cast<std::size_t>(block_size));
  for (std::size_t k = 0; k < keys.size(); ++k)
    keys[k] = {.key = {seed, 1}, .counter = {static_cast<std::uint32_t>(k), 0, 0, 0}};
  return keys;
}

struct Given final : DraftChoice {
  std::vector<std::int32_t> tokens;
  std::vector<std::int32_t> drawn;
  std::int32_t choose(int k, std::span<const float> probabilities, std::int32_t token) override {
    EXPECT_EQ(probabilities.size(), 64u);
    drawn.push_back(token);
    return tokens[static_cast<std::size_t>(k) - 1];
  }
};

class DraftChoiceOf : public ::testing::TestWithParam<const char*> {};

/// Tokens that are chosen count as if they had been drawn: for what follows them, and in what is said of
/// them.
TEST_P(DraftChoiceOf, IsDraftedOnAsIfItHadBeenDrawn) {
  DraftedModel model(drafter_data() + GetParam());
  const int block_size = model.drafter().block_size();
  model.tell(RequestId{0}, kText);
  const std::vector<DrawKey> keys = keys_of(1, block_size), others = keys_of(2, block_size);
  DraftRequest request{
      .id = RequestId{0}, .text = kText, .planned = block_size, .rule = {.temperature = 1}, .keys = keys};
  const Drafts drawn = draft(model.drafter(), {&request, 1});

  Given given;
  given.tokens = drawn.tokens;
  request.keys = others;
  request.choice = &given;
  const Drafts chosen = draft(model.drafter(), {&request, 1});
  EXPECT_NE(given.drawn, given.tokens) << "the keys draw something else";
  EXPECT_EQ(chosen, drawn);

  request.choice = nullptr;
  EXPECT_NE(draft(model.drafter(), {&request, 1}).top1, drawn.top1) << "what is drafted before matters here";
}

INSTANTIATE_TEST_SUITE_P(Drafters, DraftChoiceOf,
                         ::testing::Values("dspark_vanilla", "dspark_gated", "dspark_rnn_hidden_confidence",
                                           "speculators_dspark", "eagle3_published", "mtp_qwen3",
                                           "small_model"),
                         [](const auto& name) { return std::string(name.param); });

TEST(DraftChoice, IsNotAskedByGreedyRequests) {
  DraftedModel model(drafter_data() + "dspark_vanilla");
  model.tell(RequestId{0}, kText);
  model.tell(RequestId{1}, kText);
  Given given;
  given.tokens.assign(7, 1);
  const std::vector<DrawKey> keys = keys_of(1, model.drafter().block_size());
  std::vector<DraftRequest> requests(2, {.text = kText, .planned = 2, .keys = std::span(keys).first(2)});
  requests[0].choice = requests[1].choice = &given;
  requests[1].id = RequestId{1};
  requests[1].rule.temperature = 1;
  const Drafts drafts = draft(model.drafter(), requests);
  EXPECT_EQ(given.drawn.size(), 2u) << "of the one that draws";
  EXPECT_EQ(drafts.tokens[drafts.at(1, 1)], 1);
  EXPECT_NE(drafts.tokens[drafts.at(1, 0)], 1);
}

}  // namespace
}  // namespace dspark
