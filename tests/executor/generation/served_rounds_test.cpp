#include "executor/generation/served_rounds.h"

#include <gtest/gtest.h>

#include "tests/executor/drafter/drafted_model.h"
#include "tests/executor/drafter/served_model.h"

namespace dspark {
namespace {

using ::dspark::testing::ServedModel;
using ::dspark::testing::some_requests;

/// A tiny target with a drafter, served with whole blocks.
struct Served {
  Served() : model("qwen3_tied", ElementType::kF32, {}) {}

  Result<RunRecording> rounds(std::vector<GivenRequest> requests, ServedRoundsOptions options = {}) {
    NgramDrafter drafter({.block_size = 4, .longest_match = 3, .shortest_match = 1});
    options.kv_blocks = static_cast<int>(ServedModel::kBlocks);
    options.block_tokens = static_cast<int>(ServedModel::kBlockTokens);
    options.max_num_batched_tokens = 96;
    return served_rounds(*model.kernels, model.target, drafter, std::move(requests), options);
  }

  ServedModel model;
};

TEST(ServedRounds, VerifyWholeBlocksOfEveryRequest) {
  Served served;
  std::size_t told = 0;
  std::vector<GivenRequest> requests = some_requests(9, 30, 0);
  for (std::size_t i = 0; i < requests.size(); ++i) requests[i].domain = static_cast<std::int32_t>(i % 2);
  const auto recording = served.rounds(
      requests, {.max_num_seqs = 4, .domains = {"math", "chat"}, .progress = [&](std::size_t done) {
                   EXPECT_EQ(done, ++told);
                   return true;
                 }});
  ASSERT_TRUE(recording) << to_string(recording.error());
  EXPECT_EQ(told, 9u);
  EXPECT_EQ(recording->block_size, 4);
  ASSERT_EQ(recording->requests.size(), 9u);
  EXPECT_EQ(recording->rounds.verified, recording->rounds.drafted);
  std::vector<std::int64_t> tokens(9, 1);
  for (std::size_t row = 0; row < recording->rounds.size(); ++row)
    tokens[static_cast<std::size_t>(recording->rounds.request[row])] += recording->rounds.accepted[row] + 1;
  for (std::size_t i = 0; i < 9; ++i) {
    EXPECT_EQ(recording->requests[i].output_tokens, requests[i].output_limit);
    EXPECT_EQ(recording->requests[i].spec.domain, static_cast<std::int32_t>(i % 2));
    EXPECT_GE(tokens[i], requests[i].output_limit);
  }
  EXPECT_EQ(recording->rounds.domain_names, (std::vector<std::string>{"math", "chat"}));
}

TEST(ServedRounds, EndsWhereItIsToldTo) {
  Served served;
  const auto recording =
      served.rounds(some_requests(9, 30, 0), {.progress = [](std::size_t done) { return done < 2; }});
  ASSERT_FALSE(recording);
  EXPECT_EQ(recording.error().message, "interrupted");
}

TEST(ServedRounds, SaysWhatDoesNotFit) {
  Served served;
  std::vector<GivenRequest> requests = some_requests(2, 30, 0);
  requests[1].output_limit = 100'000;
  const auto recording = served.rounds(requests);
  ASSERT_FALSE(recording);
  EXPECT_EQ(recording.error().message, "1 requests do not fit into 256 KV blocks of 8 tokens");
}

}  // namespace
}  // namespace dspark
