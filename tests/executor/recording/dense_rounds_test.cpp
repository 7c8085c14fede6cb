#include "executor/recording/dense_rounds.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/executor/drafter/drafted_model.h"
#include "tests/executor/drafter/served_model.h"

namespace dspark {
namespace {

using ::dspark::testing::ServedModel;
using ::dspark::testing::ServedTexts;

constexpr std::size_t kPromptTokens = 4;

std::vector<int> kept_layers(const std::string& drafter) {
  if (drafter == "ngram") return {};
  return *drafter_target_layers(drafter_data() + drafter, *read_model_config(model_data() + "qwen3_tied"));
}

/// A tiny target whose served texts are recorded again from every position.
struct RecordedModel {
  explicit RecordedModel(const std::string& drafter_name)
      : model("qwen3_tied", ElementType::kF32, kept_layers(drafter_name)) {
    if (drafter_name == "ngram") {
      drafter = std::make_unique<NgramDrafter>(
          NgramOptions{.block_size = 4, .longest_match = 3, .shortest_match = 1});
    } else {
      auto opened = open_drafter(drafter_data() + drafter_name, model.draft_target(), *model.kernels,
                                 {.max_requests = 16, .kv_tokens = 4096});
      EXPECT_TRUE(opened) << to_string(opened.error());
      drafter = std::move(*opened);
    }
  }

  ServedTexts serve(std::size_t request, std::int32_t tokens, float temperature) {
    ServedTexts served = model.served(drafter.get(), drafter->block_size());
    served.seed = request;
    GivenRequest given{.output_limit = tokens, .temperature = temperature};
    for (std::size_t t = 0; t < kPromptTokens; ++t)
      given.prompt.push_back(static_cast<std::int32_t>((7 * request + t * t + 3) % 60));
    prompt = given.prompt;
    served.serve({given});
    return served;
  }
  WrittenText written(std::size_t request, const ServedTexts& served, float temperature) const {
    WrittenText text{.request = static_cast<std::int64_t>(request),
                     .tokens = prompt,
                     .prompt_tokens = kPromptTokens,
                     .rule = {.temperature = temperature}};
    text.tokens.insert(text.tokens.end(), served.replies[0].begin(), served.replies[0].end());
    return text;
  }
  Rounds record(std::vector<WrittenText> texts, int max_rows = 96, int max_texts = 16) {
    DenseOptions options{.kv_blocks = ServedModel::kBlocks,
                         .block_tokens = ServedModel::kBlockTokens,
                         .max_rows = max_rows,
                         .max_logit_rows = max_rows,
                         .max_texts = max_texts,
                         .key = make_random_key(5, 0)};
    auto rounds = dense_rounds(*model.kernels, model.target, *drafter, std::move(texts), options);
    EXPECT_TRUE(rounds) << to_string(rounds.error());
    EXPECT_FALSE(find_fault(*rounds));
    return std::move(*rounds);
  }

  ServedModel model;
  std::unique_ptr<Drafter> drafter;
  std::vector<std::int32_t> prompt;
};

class DenseRoundsOf : public ::testing::TestWithParam<const char*> {};

/// Greedy rounds are certain: those that were served stand among those of all positions.
TEST_P(DenseRoundsOf, HoldTheGreedyRoundsThatWereServed) {
  RecordedModel recorded(GetParam());
  const auto block = static_cast<std::size_t>(recorded.drafter->block_size());
  std::size_t accepted = 0;
  for (std::size_t request = 0; request < 6; ++request) {
    const ServedTexts served = recorded.serve(request, 24, 0);
    const Rounds rounds = recorded.record({recorded.written(request, served, 0)}, request % 2 == 0 ? 96 : 3);
    ASSERT_EQ(rounds.size(), 23u) << "one from each token of the reply but the last";
    std::size_t at = 0;
    for (std::size_t i = 0; i < served.drafts.size(); ++i) {
      while (rounds.drafted[at] == 0) ++at;  // where nothing matched, no round that drafted was served
      ASSERT_EQ(rounds.anchor_position[at], static_cast<std::int64_t>(kPromptTokens + at));
      const std::size_t submitted = served.drafts[i].size();
      EXPECT_EQ(std::min<std::size_t>(static_cast<std::size_t>(rounds.accepted[at]), submitted),
                static_cast<std::size_t>(served.accepted_drafts[i]))
          << "request " << request << ", anchor " << at;
      EXPECT_LE(submitted, block);
      accepted += static_cast<std::size_t>(served.accepted_drafts[i]);
      at += static_cast<std::size_t>(served.accepted_drafts[i]) + 1;
      if (at >= rounds.size()) break;
    }
    while (at < rounds.size() && rounds.drafted[at] == 0) ++at;
    EXPECT_GE(at + 2, rounds.size());
  }
  if (std::string(GetParam()) == "ngram") {
    EXPECT_GT(accepted, 0u);
  }
}

/// The rounds that a walk through the recorded ones meets are distributed as those that are served.
TEST_P(DenseRoundsOf, AreWalkedAsTheyAreServed) {
  RecordedModel recorded(GetParam());
  std::vector<WrittenText> texts;
  std::vector<double> served_lengths;
  for (std::size_t request = 0; request < 150; ++request) {
    const ServedTexts served = recorded.serve(request, 24, 1);
    for (std::size_t i = 0; i + 3 < served.accepted_drafts.size(); ++i)  // far from the reply's end
      served_lengths.push_back(served.accepted_drafts[i]);
    texts.push_back(recorded.written(request, served, 1));
  }
  const Rounds rounds = recorded.record(texts);
  ASSERT_EQ(rounds.size(), 23u * texts.size());
  std::vector<double> walked;
  for (std::size_t text = 0; text < texts.size(); ++text)
    for (std::size_t at = 0; at < 17;) {
      const auto accepted = rounds.accepted[text * 23 + at];
      if (rounds.drafted[text * 23 + at] > 0) walked.push_back(accepted);
      at += static_cast<std::size_t>(accepted) + 1;
    }
  const auto mean = [](const std::vector<double>& values) {
    double sum = 0, squares = 0;
    for (const double value : values) sum += value, squares += value * value;
    const double n = static_cast<double>(values.size());
    return std::pair(sum / n, (squares / n - sum / n * sum / n) / n);
  };
  const auto [of_served, served_variance] = mean(served_lengths);
  const auto [of_walked, walked_variance] = mean(walked);
  EXPECT_NEAR(of_walked, of_served, 4 * std::sqrt(served_variance + walked_variance));
  EXPECT_GT(of_served, 0.01);
  if (rounds.acceptance.empty()) return;
  double known = 0, first = 0;
  for (std::size_t row = 0; row < rounds.size(); ++row) {
    known += static_cast<double>(rounds.acceptance[rounds.at(row, 1)]);
    first += rounds.accepted[row] > 0 ? 1 : 0;
  }
  const auto n = static_cast<double>(rounds.size());
  EXPECT_NEAR(first / n, known / n, 4 * std::sqrt(0.25 / n)) << "the true acceptance is the share accepted";
}

/// A text's rounds depend neither on the texts beside it nor on how many rows a step has.
TEST_P(DenseRoundsOf, AreTheSameAloneAndTogether) {
  RecordedModel recorded(GetParam());
  std::vector<WrittenText> texts;
  for (std::size_t request = 0; request < 5; ++request)
    texts.push_back(
        recorded.written(request, recorded.serve(request, 12 + static_cast<std::int32_t>(request), 1), 1));
  const Rounds together = recorded.record(texts);
  const Rounds alone = recorded.record(texts, /*max_rows=*/2, /*max_texts=*/1);
  EXPECT_EQ(together.request, alone.request);
  EXPECT_EQ(together.anchor_position, alone.anchor_position);
  EXPECT_EQ(together.accepted, alone.accepted);
  const auto known = [](std::vector<float> values) {
    std::replace_if(
        values.begin(), values.end(), [](float value) { return std::isnan(value); }, -1.0F);
    return values;
  };
  EXPECT_EQ(known(together.confidence), known(alone.confidence));
  EXPECT_EQ(known(together.chosen), known(alone.chosen));
}

INSTANTIATE_TEST_SUITE_P(Drafters, DenseRoundsOf,
                         ::testing::Values("dspark_vanilla", "dspark_rnn_hidden_confidence", "dflash",
                                           "eagle3_published", "mtp_qwen3", "small_model", "ngram"),
                         [](const auto& name) { return std::string(name.param); });

TEST(DenseRounds, RefusesATextThatTheCacheCannotHold) {
  RecordedModel recorded("ngram");
  const auto rounds = dense_rounds(*recorded.model.kernels, recorded.model.target, *recorded.drafter,
                                   {{.tokens = {1, 2, 3, 4, 5, 6}, .prompt_tokens = 2}},
                                   {.kv_blocks = 1, .block_tokens = 8, .max_rows = 8, .max_logit_rows = 8});
  ASSERT_FALSE(rounds);
  EXPECT_EQ(rounds.error().message, "a text of 10 tokens does not fit into 1 KV blocks of 8 tokens");
}

}  // namespace
}  // namespace dspark
