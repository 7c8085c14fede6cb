#include "executor/drafter/chain_drafter.h"

#include <fmt/format.h>

#include "executor/drafter/chain_folder.h"
#include "tests/executor/drafter/served_model.h"

namespace dspark {
namespace {

using testing::ServedModel;
using testing::ServedTexts;
using testing::some_requests;

constexpr int kBlock = 4;

std::unique_ptr<ChainDrafter> small_model(ServedModel& model, const std::string& name,
                                          ChainOptions options = {}) {
  options.block_size = kBlock;
  if (options.max_requests == 0) options.max_requests = 16;
  if (options.kv_tokens == 0) options.kv_tokens = 2048;
  auto drafter = open_chain_drafter(model_data() + name, model.draft_target(), *model.kernels, options);
  EXPECT_TRUE(drafter) << to_string(drafter.error());
  return std::move(*drafter);
}

TEST(LanguageModelDrafter, GreedyTextIsThatOfTheTargetAlone) {
  for (const ElementType type : {ElementType::kF32, ElementType::kBf16}) {
    ServedModel model("qwen3_tied", type);
    for (const std::size_t batch : {1u, 3u, 16u}) {
      SCOPED_TRACE(fmt::format("{} requests", batch));
      const auto requests = some_requests(batch, 24, 0);
      ServedTexts alone = model.served(nullptr, 0);
      alone.serve(requests);
      // One that is rejected nearly always, and one that never is.
      for (const char* name : {"llama_tied_llama3", "qwen3_tied"}) {
        const auto drafter = small_model(model, name);
        ServedTexts drafted = model.served(drafter.get(), kBlock);
        drafted.serve(requests);
        EXPECT_EQ(drafted.replies, alone.replies) << name;
        EXPECT_GT(drafted.submitted, 0);
      }
    }
  }
}

TEST(LanguageModelDrafter, ThatIsTheTargetHasAllItsDraftsAccepted) {
  for (const char* name : {"qwen3_tied", "llama_bias_linear_sharded", "gemma4_per_layer_shared"}) {
    for (const ElementType type : {ElementType::kF32, ElementType::kBf16}) {
      SCOPED_TRACE(name);
      ServedModel model(name, type);
      const auto drafter = small_model(model, name);
      ServedTexts drafted = model.served(drafter.get(), kBlock);
      drafted.engine.max_num_batched_tokens = 40;  // prompts in chunks
      drafted.serve(some_requests(7, 30, 0));
      EXPECT_GT(drafted.submitted, 100);
      EXPECT_EQ(drafted.accepted, drafted.submitted);
    }
  }
}

TEST(LanguageModelDrafter, ComputesNoRowOfAnAcceptedDraftTwice) {
  ServedModel model("qwen3_tied", ElementType::kF32);
  const auto drafter = small_model(model, "qwen3_tied");
  ServedTexts drafted = model.served(drafter.get(), kBlock);
  const auto requests = some_requests(1, 41, 0);
  drafted.serve(requests);
  // The prompt and the reply's first token; then, of each round in which all is accepted, the drafts and the
  // token behind them.
  const auto prompt = static_cast<std::int64_t>(requests[0].prompt.size());
  EXPECT_EQ(drafted.accepted, 40 - drafted.rounds + 1) << "rounds of 5 tokens, and the prompt's";
  EXPECT_LE(drafter->computed_rows(), prompt + 1 + 5 * (drafted.rounds - 1));
}

TEST(LanguageModelDrafter, TextSurvivesPreemptionAndADrafterWithoutRoom) {
  ServedModel model("qwen3_tied", ElementType::kF32);
  const auto requests = some_requests(9, 30, 0);
  ServedTexts alone = model.served(nullptr, 0);
  alone.serve(requests);
  const auto small_steps = small_model(model, "qwen3_tied", {.max_requests = 9, .max_rows = 9});
  ServedTexts preempted = model.served(small_steps.get(), kBlock);
  preempted.engine.kv_blocks = 14;
  preempted.engine.max_num_batched_tokens = 50;
  preempted.serve(requests);
  EXPECT_GT(preempted.preemptions, 0);
  EXPECT_EQ(preempted.replies, alone.replies);
  EXPECT_EQ(preempted.accepted, preempted.submitted) << "what it knows of a text is right after it too";
  const auto cramped = small_model(model, "qwen3_tied", {.kv_tokens = 64});
  ServedTexts without_room = model.served(cramped.get(), kBlock);
  without_room.serve(requests);
  EXPECT_EQ(without_room.replies, alone.replies);
  EXPECT_EQ(without_room.accepted, without_room.submitted);
  EXPECT_LT(without_room.submitted, preempted.submitted);
}

TEST(LanguageModelDrafter, SampledTextDependsOnNoNeighbour) {
  ServedModel model("qwen3_tied", ElementType::kF32);
  auto requests = some_requests(7, 20, 1);
  requests[2].temperature = requests[5].temperature = 0;
  const auto drafter = small_model(model, "llama_tied_llama3");
  ServedTexts together = model.served(drafter.get(), kBlock);
  together.serve(requests);
  ServedTexts one_by_one = model.served(drafter.get(), kBlock);
  one_by_one.engine.max_num_seqs = 1;
  one_by_one.engine.max_num_batched_tokens = 5;
  one_by_one.serve(requests);
  EXPECT_EQ(one_by_one.replies, together.replies);
  ServedTexts another_seed = model.served(drafter.get(), kBlock);
  another_seed.seed = 4;
  another_seed.serve(requests);
  EXPECT_NE(another_seed.replies, together.replies);
  ServedTexts alone = model.served(nullptr, 0);
  alone.serve(requests);
  EXPECT_EQ(together.replies[2], alone.replies[2]) << "greedy beside sampled ones";
  EXPECT_EQ(together.replies[5], alone.replies[5]);
}

TEST(LanguageModelDrafter, ThatIsTheTargetIsAcceptedWhereItSamplesToo) {
  ServedModel model("qwen3_tied", ElementType::kF32);
  const auto drafter = small_model(model, "qwen3_tied");
  ServedTexts sampled = model.served(drafter.get(), kBlock);
  sampled.serve(some_requests(7, 30, 0.8F));  // p_t / p_d = 1 throughout
  EXPECT_GT(sampled.submitted, 100);
  EXPECT_EQ(sampled.accepted, sampled.submitted);
}

TEST(LanguageModelDrafter, WithAnotherVocabularyIsRefused) {
  ServedModel model("qwen3_tied", ElementType::kF32);
  model.config.vocab_size = 65;
  const auto drafter = open_chain_drafter(model.folder, model.draft_target(), *model.kernels,
                                          {.block_size = 1, .max_requests = 1, .kv_tokens = 16});
  ASSERT_FALSE(drafter);
  EXPECT_EQ(to_string(drafter.error()), model.folder +
                                            "/config.json: vocab_size: 64, but the target has 65 tokens (a "
                                            "drafter speaks the target's tokens)");
}

}  // namespace
}  // namespace dspark
