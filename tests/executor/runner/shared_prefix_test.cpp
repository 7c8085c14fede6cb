// Prompts that begin alike are computed once, by the target and by drafters with a state of their own, and no
// text and no draft is another one for it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/executor/drafter/drafted_model.h"
#include "tests/executor/runner/served_texts.h"

namespace dspark {
namespace {

using testing::ServedTexts;
using testing::written;
using testing::written_map;

constexpr std::size_t kBlocks = 256;

/// Prompts of two prefixes of 24 tokens and some of their own. Two blocks of eight can be shared: the third
/// holds the prefix's last token.
std::vector<GivenRequest> prompts(float temperature) {
  std::vector<GivenRequest> requests;
  for (std::uint32_t i = 0; i < 12; ++i) {
    GivenRequest request{
        .output_limit = 18, .temperature = temperature, .prefix = i % 2, .shared_prefix_tokens = 24};
    for (std::uint32_t t = 0; t < 24 + i % 5; ++t) {
      const std::uint32_t token = t < 24 ? 3 * t * t + 7 * request.prefix : 11 * i + t;
      request.prompt.push_back(static_cast<std::int32_t>(token % 60));
    }
    requests.push_back(std::move(request));
  }
  return requests;
}

struct PromptRows final : Watcher {
  std::int64_t rows = 0;
  void step_ended(const StepRecord& step) override { rows += step.prefill_rows; }
};

/// What is said with a drafter, each time by a new one.
struct Served {
  std::vector<std::vector<std::int32_t>> replies;
  std::int64_t submitted, accepted, prompt_rows;
};
Served serve(const std::string& drafter, ElementType type, float temperature, bool caching, int kv_blocks,
             int batch) {
  DraftedModel model(drafter, type);
  auto cache = KvCache::make(model.decoder().plan(), kBlocks, 8, model.kernels());
  EXPECT_TRUE(cache);
  DecoderTarget target(model.decoder(), *cache);
  ServedTexts served;
  served.own_kernels = &model.kernels();
  served.own_target = &target;
  served.own_drafter = &model.drafter();
  served.policy = "fixed";
  served.policy_parameters = written_map({{"k", written("3")}});
  served.engine = {.max_num_seqs = batch,
                   .max_num_batched_tokens = 40,
                   .kv_blocks = kv_blocks,
                   .block_tokens = 8,
                   .prefix_caching = caching};
  PromptRows prompt_rows;
  served.also_watching = &prompt_rows;
  served.serve(prompts(temperature));
  return {served.replies, served.submitted, served.accepted, prompt_rows.rows};
}

std::vector<std::string> drafters() {
  std::vector<std::string> folders;
  for (const char* name : {"dspark_vanilla", "dspark_rnn_hidden_confidence", "speculators_dflash",
                           "eagle3_speculators", "eagle3_two_layers", "mtp_qwen3"}) {
    folders.push_back(drafter_data() + name);
  }
  folders.push_back(model_data() + "qwen3_tied");  // a small model: the target itself
  return folders;
}

TEST(SharedPrefix, IsComputedOnceAndChangesNoTextAndNoDraft) {
  for (const std::string& drafter : drafters()) {
    for (const ElementType type : {ElementType::kF32, ElementType::kBf16}) {
      for (const float temperature : {0.0f, 0.9f}) {
        SCOPED_TRACE(fmt::format("{} at temperature {}", drafter, temperature));
        const Served apart = serve(drafter, type, temperature, false, kBlocks, 6);
        const Served once = serve(drafter, type, temperature, true, kBlocks, 6);
        EXPECT_EQ(once.replies, apart.replies);
        EXPECT_EQ(once.submitted, apart.submitted);
        EXPECT_EQ(once.accepted, apart.accepted);
        EXPECT_EQ(apart.prompt_rows - once.prompt_rows, 10 * 16) << "all but two found two blocks";
      }
    }
  }
}

TEST(SharedPrefix, ChangesNoTextWhereItsPlaceIsNeeded) {
  for (const std::string& drafter : drafters()) {
    SCOPED_TRACE(drafter);
    const Served apart = serve(drafter, ElementType::kF32, 0, false, kBlocks, 1);
    const Served tight = serve(drafter, ElementType::kF32, 0, true, 8, 3);
    EXPECT_EQ(tight.replies, apart.replies);
  }
}

}  // namespace
}  // namespace dspark
