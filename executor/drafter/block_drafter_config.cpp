#include "executor/drafter/block_drafter_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "executor/checkpoint/json_fields.h"
#include "executor/checkpoint/json_object.h"

namespace dspark {
namespace {

using Json = nlohmann::json;

constexpr JsonLimits kLimits{.depth = 16, .values = 65536, .members = 4096};
constexpr int kMostLayers = 1024;
constexpr int kMostBlock = 256;
constexpr int kMostRank = 1 << 16;

/// What `transformers` puts in the place of missing keys of a Qwen3 configuration, which published nested
/// ones leave out.
Json with_qwen3_defaults(Json layers) {
  const std::pair<const char*, int> defaults[] = {
      {"vocab_size", 151936},    {"hidden_size", 4096},       {"intermediate_size", 22016},
      {"num_hidden_layers", 32}, {"num_attention_heads", 32}, {"num_key_value_heads", 32},
  };
  for (const auto& [key, value] : defaults)
    if (!layers.contains(key)) layers[key] = value;
  return layers;
}

/// The layout of DFlash's authors, which keeps mask token and layers in an object of their own.
bool is_original_dflash(const Json& object) {
  const auto names = object.find("architectures");
  return names != object.end() && *names == Json::array({"DFlashDraftModel"}) &&
         !object.contains("speculators_model_type");
}

class BlockConfigReader {
 public:
  BlockConfigReader(const Json& object, std::string path)
      : object_(object),
        path_(std::move(path)),
        top_(object, "", path_, error_),
        original_(is_original_dflash(object)),
        block_(original_ ? top_.object("dflash_config") : top_) {}

  Result<BlockDrafterConfig> read() {
    nested_ = top_.has("speculators_model_type");
    const auto names =
        nested_ ? std::vector{top_.text("speculators_model_type")} : top_.texts("architectures", 16);
    if (!error_ && names.size() != 1) top_.fail("architectures", "it must name one architecture");
    if (error_) return *error_;
    const std::string& name = names[0];
    gemma_ = name == "Gemma4DSparkModel";
    dspark_ = name == "dspark" || name == "Qwen3DSparkModel" || gemma_;  // DeepSpec's DFlash has no heads
    if (nested_) {
      read_nested_stack();
    } else {
      read_stack(object_, path_);
    }
    if (original_ && !error_) {
      config_.stack.tie_word_embeddings = false;
      config_.own_embedding = config_.own_head = false;
    }
    if (original_ && !error_) refuse_unread_rules();
    if (!error_) read_block();
    if (!error_) read_target_layers();
    if (!error_) read_heads();
    if (error_) return *error_;
    return std::move(config_);
  }

 private:
  void read_nested_stack() {
    const Json* layers = top_.find("transformer_layer_config");
    if (layers == nullptr || !layers->is_object())
      return top_.fail("transformer_layer_config", "it must be an object");
    JsonFields fields = top_.object("transformer_layer_config");
    if (const std::string type = fields.text("model_type", "qwen3"); type != "qwen3")
      return fields.fail("model_type", fmt::format("unknown type '{}'", type.substr(0, 100)), "known: qwen3");
    read_stack(with_qwen3_defaults(*layers), path_ + ": transformer_layer_config");
    if (error_) return;
    if (top_.has("quantization_config"))
      return top_.fail("quantization_config", "quantized weights cannot be read");
    config_.stack.tie_word_embeddings = false;
    config_.own_embedding = false;
    const int vocabulary = config_.stack.vocab_size;
    const int draft = top_.integer("draft_vocab_size", 1, vocabulary, std::min(32000, vocabulary));
    config_.draft_vocabulary = draft == vocabulary ? 0 : draft;
    config_.own_head = config_.draft_vocabulary > 0;
    if (const auto* width = top_.find("target_hidden_size");
        width != nullptr && *width != Json(config_.stack.hidden_size))
      top_.fail("target_hidden_size", "it must be that of the draft layers");
  }

  void read_stack(Json layers, const std::string& path) {
    layers["architectures"] = {gemma_ ? "Gemma4ForCausalLM" : "Qwen3ForCausalLM"};
    auto stack = parse_model_config(layers.dump(), {}, path, path);
    if (!stack) {
      error_ = stack.error();
      return;
    }
    config_.stack = std::move(*stack);
    if (config_.stack.per_layer_input_size > 0)
      top_.fail("hidden_size_per_layer_input", "draft layers have no embeddings of their own");
    if (config_.stack.shared_kv_layers > 0)
      top_.fail("num_kv_shared_layers", "draft layers share no keys and values");
    if (config_.stack.sliding_window == 0) return;
    if (!nested_)
      return top_.fail("layer_types", "draft layers with a sliding window are read of `speculators` alone");
    config_.causal_windows = !top_.boolean("sliding_window_non_causal", false);
  }

  /// What the authors' later drafters change of the pass.
  void refuse_unread_rules() {
    if (top_.boolean("is_causal", false)) top_.fail("is_causal", "blocks that attend one way cannot be run");
    for (const char* key : {"input_embedding_scale", "output_multiplier", "final_logit_softcapping"})
      if (block_.has(key)) block_.fail(key, "scaled embeddings and logits cannot be read");
  }

  void read_block() {
    JsonFields& of_size = top_.has("block_size") || nested_ ? top_ : block_;
    config_.block_rows = nested_ ? of_size.integer("block_size", 1, kMostBlock, 8)
                                 : of_size.integer("block_size", 1, kMostBlock);
    config_.samples_from_anchor = nested_ ? top_.boolean("sample_from_anchor", dspark_) : !original_;
    if (!error_ && config_.block_size() < 1)
      top_.fail("block_size", "a block of the anchor alone drafts nothing",
                nested_ ? "sample_from_anchor is false" : "");
    config_.mask_token = block_.integer("mask_token_id", 0, config_.stack.vocab_size - 1);
  }

  void read_target_layers() {
    const char* key = nested_ ? "aux_hidden_state_layer_ids" : "target_layer_ids";
    config_.layers_key = block_.name(key);
    config_.target_layer_count = nested_ ? 0 : top_.integer("num_target_layers", 1, kMostLayers, 0);
    const Json* ids = block_.find(key);
    if (ids == nullptr || !ids->is_array() || ids->empty() || ids->size() > kMostLayers)
      return block_.fail(key, "it must be a list of layers");
    const int first = nested_ ? 0 : -1;
    config_.first_layer_id = first;
    for (const Json& id : *ids) {
      if (!id.is_number_integer() || id < first || id > kMostLayers)
        return block_.fail(key, fmt::format("its entries must be integers in {}..{}", first, kMostLayers));
      config_.target_layers.push_back(id.get<int>() - first - 1);
    }
  }

  void read_heads() {
    if (!dspark_) return;
    config_.markov_rank = top_.integer("markov_rank", 0, kMostRank, nested_ ? 256 : 0);
    const std::string type = top_.text("markov_head_type", "vanilla");
    const std::pair<const char*, MarkovHeadType> known[] = {{"vanilla", MarkovHeadType::kVanilla},
                                                            {"gated", MarkovHeadType::kGated},
                                                            {"rnn", MarkovHeadType::kRnn}};
    for (const auto& [name, markov] : known)
      if (type == name && config_.markov_rank > 0) config_.markov = markov;
    if (config_.markov_rank > 0 && config_.markov == MarkovHeadType::kNone)
      return top_.fail("markov_head_type", fmt::format("unknown type '{}'", type.substr(0, 100)),
                       "known: vanilla, gated, rnn");
    config_.confidence_head = top_.boolean("enable_confidence_head", nested_);
    config_.confidence_reads_markov =
        config_.confidence_head && top_.boolean("confidence_head_with_markov", nested_);
    if (config_.confidence_reads_markov && config_.markov == MarkovHeadType::kNone)
      top_.fail("confidence_head_with_markov", "it needs a Markov head", "markov_rank is 0");
  }

  const Json& object_;
  std::string path_;
  std::optional<Error> error_;
  JsonFields top_;
  bool original_;        // is_original_dflash
  JsonFields block_;     // where mask token and layers stand: at the top, or in dflash_config
  bool nested_ = false;  // the layout of `speculators`
  bool dspark_ = false;
  bool gemma_ = false;  // DeepSpec's layout on Gemma-4 layers
  BlockDrafterConfig config_;
};

}  // namespace

Result<BlockDrafterConfig> parse_block_drafter_config(std::string_view text, const std::string& path) {
  const auto object = parse_json(text, kLimits, path);
  if (!object) return object.error();
  return BlockConfigReader(*object, path).read();
}

ModelPlan plan_block_drafter(const BlockDrafterConfig& config) {
  ModelPlan plan = plan_model(config.stack);
  for (LayerPlan& layer : plan.layers) {
    const bool slides = layer.type == LayerType::kSliding;
    layer.attention.causal = slides && config.causal_windows;
    layer.attention.window_before_rows = slides;
  }
  plan.draft_vocabulary = static_cast<std::size_t>(config.draft_vocabulary);
  return plan;
}

TensorLayout block_drafter_layout(const BlockDrafterConfig& config) {
  const auto hidden = static_cast<std::size_t>(config.stack.hidden_size);
  const auto vocabulary = static_cast<std::size_t>(config.stack.vocab_size);
  const auto rank = static_cast<std::size_t>(config.markov_rank);
  const auto draft =
      config.draft_vocabulary > 0 ? static_cast<std::size_t>(config.draft_vocabulary) : vocabulary;
  TensorLayout layout{.decoder = "",
                      .has_embedding = config.own_embedding,
                      .has_head = config.own_head,
                      .heads = {},
                      .ignored = {}};
  const auto add = [&](const char* name, WeightRole role, std::vector<std::size_t> shape) {
    layout.heads.push_back({{name, std::move(shape)}, role, -1});
  };
  add("fc.weight", WeightRole::kContext, {hidden, config.target_layers.size() * hidden});
  add("hidden_norm.weight", WeightRole::kContextNorm, {hidden});
  if (config.markov != MarkovHeadType::kNone) {
    add("markov_head.markov_w1.weight", WeightRole::kMarkovEmbedding, {vocabulary, rank});
    add("markov_head.markov_w2.weight", WeightRole::kMarkovHead, {draft, rank});
  }
  if (config.markov == MarkovHeadType::kGated) {
    add("markov_head.gate_proj.weight", WeightRole::kMarkovGate, {rank, hidden + rank});
    add("markov_head.gate_proj.bias", WeightRole::kMarkovGateBias, {rank});
  }
  if (config.markov == MarkovHeadType::kRnn) {
    add("markov_head.joint_proj.weight", WeightRole::kMarkovGate, {3 * rank, 2 * rank + hidden});
    add("markov_head.joint_proj.bias", WeightRole::kMarkovGateBias, {3 * rank});
  }
  if (config.confidence_head) {
    add("confidence_head.proj.weight", WeightRole::kConfidence,
        {1, hidden + (config.confidence_reads_markov ? rank : 0)});
    add("confidence_head.proj.bias", WeightRole::kConfidenceBias, {1});
  }
  if (config.draft_vocabulary > 0) layout.ignored = {"d2t", "t2d"};
  return layout;
}

}  // namespace dspark
