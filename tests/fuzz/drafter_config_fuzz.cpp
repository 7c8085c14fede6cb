#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "executor/drafter/block_drafter_config.h"
#include "executor/drafter/drafter_folder.h"
#include "executor/drafter/feature_config.h"
#include "executor/model/model_memory.h"
#include "tests/fuzz/expect.h"

namespace {

using dspark::expect;

/// The target of the drafters in the corpus.
const dspark::ModelConfig& target() {
  static const dspark::ModelConfig config = [] {
    const std::string_view text =
        R"({"architectures": ["Qwen3ForCausalLM"], "hidden_size": 32, "intermediate_size": 40,
            "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8,
            "vocab_size": 64, "max_position_embeddings": 256})";
    const auto parsed = dspark::parse_model_config(text, {}, "target", "target");
    expect(static_cast<bool>(parsed), "the target is one");
    return *parsed;
  }();
  return config;
}

void expect_one_line(const dspark::Error& error) {
  const std::string message = to_string(error);
  expect(message.starts_with("config") && message.find('\n') == std::string::npos,
         "an error is one line that names the file");
}

void expect_a_size(const dspark::ModelPlan& plan) {
  const auto memory =
      dspark::predict_memory(plan, {.max_rows = 4096, .max_logit_rows = 256, .kv_tokens = 1 << 20});
  expect(memory.weights > 0 && memory.kv_cache > 0 && memory.total() < std::size_t{1} << 62, "it has a size");
}

void expect_block_drafter(std::string_view text) {
  const auto config = dspark::parse_block_drafter_config(text, "config");
  if (!config) return expect_one_line(config.error());
  const int vocabulary = config->stack.vocab_size;
  expect(config->block_size() >= 1 && config->block_size() <= config->block_rows, "a block drafts");
  expect(config->mask_token >= 0 && config->mask_token < vocabulary, "the mask is a token");
  expect(!config->target_layers.empty(), "it reads layers");
  expect(config->draft_vocabulary >= 0 && config->draft_vocabulary < vocabulary,
         "a reduced vocabulary is one");
  expect((config->markov == dspark::MarkovHeadType::kNone) == (config->markov_rank == 0),
         "a Markov head has a rank");
  expect(config->confidence_head || !config->confidence_reads_markov, "a head that reads is there");
  expect(config->markov_rank > 0 || !config->confidence_reads_markov, "what it reads is there");
  expect_a_size(plan_block_drafter(*config));
  for (const dspark::ModelTensor& tensor : block_drafter_layout(*config).heads)
    expect(tensor.numbers() > 0 && tensor.numbers() < std::size_t{1} << 48, "a head has a size");
}

void expect_feature_drafter(std::string_view text) {
  const auto config = dspark::parse_feature_config(text, "config", target());
  if (!config) return expect_one_line(config.error());
  if (!*config) return;
  const dspark::FeatureConfig& features = **config;
  expect(!features.target_layers.empty(), "it reads layers");
  expect(features.draft_vocab_size >= 1 && features.draft_vocab_size <= target().vocab_size,
         "a drafter's vocabulary is a part of the target's");
  expect(!features.fc_norm || !features.norm_before_fc, "layers are normed once");
  expect(features.speculative_tokens >= 0, "a chain has a length");
  expect(features.kind == dspark::FeatureConfig::Kind::kEagle3 || features.layers.layers == 1,
         "MTP is one layer");
  expect_a_size(plan_feature_drafter(features));
}

}  // namespace

/// Any text is the configuration of a drafter or an error of one line that names the file; what is accepted
/// reads layers that the target has and is within the bounds that its readers rely on.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  expect_block_drafter(text);
  expect_feature_drafter(text);
  const auto layers = dspark::parse_drafter_target_layers(text, "config", target());
  if (!layers) {
    expect_one_line(layers.error());
    return 0;
  }
  for (const int layer : *layers)
    expect(layer >= -1 && layer < target().layers, "the target has these layers");
  return 0;
}
