// Greedy text of real (tiny, random) decoders: the same token for token whatever drafts, decides, stands
// beside it or is preempted, in f32 and bf16, on each instruction set of this processor and any number of
// threads.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "executor/model/decoder_target.h"
#include "kernels/cpu/instruction_set.h"
#include "tests/executor/runner/served_texts.h"

namespace dspark {
namespace {

using testing::required_parameters;
using testing::ServedTexts;
using testing::some_requests;

constexpr int kBlocks = 128;
constexpr int kBlockTokens = 8;

/// A model of tests/executor/model/data in memory.
struct TinyModel {
  std::unique_ptr<Kernels> kernels;
  std::unique_ptr<Decoder> decoder;
  std::unique_ptr<KvCache> cache;
  std::unique_ptr<DecoderTarget> target;

  TinyModel(const std::string& name, const CpuOptions& options) {
    CpuKernels cpu = make_cpu_kernels(options);
    EXPECT_NE(cpu.kernels, nullptr) << cpu.error;
    kernels = std::move(cpu.kernels);
    auto loaded = Decoder::load(std::string(DSPARK_SOURCE_DIR "/tests/executor/model/data/") + name, *kernels,
                                {.max_rows = 128, .max_logit_rows = 128, .kept_layers = {}});
    if (!loaded) ADD_FAILURE() << to_string(loaded.error());
    decoder = std::make_unique<Decoder>(*std::move(loaded));
    cache = std::make_unique<KvCache>(*KvCache::make(decoder->plan(), kBlocks, kBlockTokens, *kernels));
    target = std::make_unique<DecoderTarget>(*decoder, *cache);
  }
  ServedTexts system(const std::string& policy, const std::string& drafter) {
    ServedTexts served;
    served.own_kernels = kernels.get();
    served.own_target = target.get();
    served.language.vocab_size = decoder->plan().vocabulary;
    served.policy = policy;
    served.policy_parameters = required_parameters(policy);
    served.drafter = drafter;
    served.engine = {
        .max_num_seqs = 16, .max_num_batched_tokens = 96, .kv_blocks = kBlocks, .block_tokens = kBlockTokens};
    return served;
  }
};

CpuOptions machine(ElementType weights, InstructionSet set, int threads) {
  CpuOptions options;
  options.weight_type = weights;
  options.threads = threads;
  options.instruction_set = set;
  return options;
}

std::vector<std::vector<std::int32_t>> plain_text(TinyModel& model,
                                                  const std::vector<GivenRequest>& requests) {
  ServedTexts plain = model.system("none", "none");
  plain.engine.max_num_seqs = 1;
  plain.serve(requests);
  return plain.replies;
}

TEST(DecoderTexts, EveryPolicyWritesTheGreedyTextOfPlainDecoding) {
  for (const ElementType weights : {ElementType::kF32, ElementType::kBf16}) {
    TinyModel model("qwen3_tied", machine(weights, instruction_sets().back(), 1));
    const auto requests = some_requests(16, 20, 0);
    const auto plain = plain_text(model, requests);
    for (const std::string& policy : depth_policy_names()) {
      if (policy == "oracle") continue;  // sees outcomes, which a real machine does not know
      for (const char* drafter : {"ngram", "toy"}) {
        ServedTexts served = model.system(policy, drafter);
        served.serve(requests);
        ASSERT_EQ(served.replies, plain) << policy << " with " << drafter;
      }
    }
  }
}

TEST(DecoderTexts, AnyBatchWritesTheGreedyTextOfPlainDecoding) {
  for (const InstructionSet set : instruction_sets()) {
    for (const ElementType weights : {ElementType::kF32, ElementType::kBf16}) {
      SCOPED_TRACE(fmt::format("{}, {}", name_of(set), weights == ElementType::kF32 ? "f32" : "bf16"));
      TinyModel model("llama_tied_llama3", machine(weights, set, 1));
      const auto requests = some_requests(16, 16, 0);
      const auto plain = plain_text(model, requests);
      for (std::size_t batch = 1; batch <= 16; ++batch) {
        ServedTexts served = model.system("fixed", "ngram");
        served.engine.max_num_seqs = static_cast<int>(batch);
        served.serve(requests);
        ASSERT_EQ(served.replies, plain) << "batch of " << batch;
        EXPECT_GT(served.accepted, 0);
      }
      TinyModel threaded("llama_tied_llama3", machine(weights, set, 3));
      ServedTexts served = threaded.system("fixed", "ngram");
      served.serve(requests);
      EXPECT_EQ(served.replies, plain) << "three threads";
    }
  }
}

TEST(DecoderTexts, EveryFamilyWritesTheGreedyTextOfPlainDecodingWhenItIsPreempted) {
  for (const char* name : {"qwen3_window_bias_yarn", "llama_bias_linear_sharded", "gemma3_text",
                           "gemma4_per_layer_shared", "gemma4_keys_are_values"}) {
    SCOPED_TRACE(name);
    TinyModel model(name, machine(ElementType::kBf16, instruction_sets().back(), 1));
    const auto requests = some_requests(10, 30, 0);
    const auto plain = plain_text(model, requests);
    ServedTexts served = model.system("fixed", "ngram");
    served.engine.kv_blocks = 10;
    served.engine.max_num_batched_tokens = 24;
    served.serve(requests);
    EXPECT_GT(served.preemptions, 0);
    EXPECT_EQ(served.replies, plain);
  }
}

TEST(DecoderTexts, SampledTextDependsOnNoNeighbour) {
  TinyModel model("qwen3_tied", machine(ElementType::kBf16, instruction_sets().back(), 1));
  const auto requests = some_requests(12, 20, 0.8f);
  for (const char* drafter : {"none", "ngram", "toy"}) {
    ServedTexts together = model.system(drafter == std::string("none") ? "none" : "fixed", drafter);
    together.serve(requests);
    ServedTexts alone = together;
    alone.engine.max_num_seqs = 1;
    alone.engine.max_num_batched_tokens = 7;
    alone.serve(requests);
    EXPECT_EQ(together.replies, alone.replies) << drafter;
  }
}

}  // namespace
}  // namespace dspark
