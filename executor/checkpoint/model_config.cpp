#include "executor/checkpoint/model_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <utility>

#include "executor/checkpoint/json_fields.h"
#include "executor/checkpoint/json_object.h"
#include "executor/checkpoint/mapped_file.h"
#include "executor/checkpoint/rope_config.h"

namespace dspark {
namespace {

using Json = nlohmann::json;

// Far above every published model, and small enough that no product of two of them overflows 64 bits.
constexpr int kMostLayers = 1024;
constexpr int kMostHeads = 4096;
constexpr int kMostHeadDim = 4096;
constexpr int kMostWidth = 1 << 20;
constexpr int kMostTokens = 1 << 24;
constexpr int kMostPositions = 1 << 28;
constexpr std::size_t kMostEndTokens = 256;
constexpr double kMostSoftCap = 1e6;
constexpr std::size_t kMostConfigBytes = std::size_t{1} << 20;
constexpr JsonLimits kConfigLimits{.depth = 16, .values = 65536, .members = 4096};

struct Architecture {
  const char* name;
  ModelFamily family;
};

constexpr Architecture kArchitectures[] = {
    {"Qwen3ForCausalLM", ModelFamily::kQwen3},   {"LlamaForCausalLM", ModelFamily::kLlama},
    {"Gemma3ForCausalLM", ModelFamily::kGemma3}, {"Gemma3ForConditionalGeneration", ModelFamily::kGemma3},
    {"Gemma4ForCausalLM", ModelFamily::kGemma4}, {"Gemma4ForConditionalGeneration", ModelFamily::kGemma4},
};

/// What a key means where it is missing: the defaults of the configuration classes, which published files
/// rely on (gemma-3-4b names only six keys of its text part).
struct Defaults {
  std::optional<int> hidden_size = {};
  std::optional<int> intermediate_size = {};
  std::optional<int> layers = {};
  std::optional<int> heads = {};
  std::optional<int> kv_heads = {};
  std::optional<int> head_dim = {};
  std::optional<int> vocab_size = {};
  std::optional<int> sliding_window = {};
  int max_positions = 0;
  bool tied = false;
};

Defaults defaults_of(ModelFamily family) {
  switch (family) {
    case ModelFamily::kQwen3:
      return {.head_dim = 128, .max_positions = 32768, .tied = false};
    case ModelFamily::kLlama:
      return {.max_positions = 2048, .tied = false};
    case ModelFamily::kGemma3:
      return {2304, 9216, 26, 8, 4, 256, 262208, 4096, 131072, true};
    case ModelFamily::kGemma4:
      return {2304, 9216, 30, 8, 4, 256, 262144, 512, 131072, true};
  }
  return {};
}

class ConfigReader {
 public:
  ConfigReader(const Json& object, const std::string& path)
      : top_(object, "", path, error_), text_(top_.has("text_config") ? top_.object("text_config") : top_) {}

  Result<ModelConfig> read() {
    read_family();
    if (!error_) read_sizes();
    if (!error_) read_attention();
    if (!error_) read_layer_types();
    if (!error_) read_layer_heads();
    if (!error_) check_all_heads();
    if (!error_) check_sharing();
    if (!error_) read_rope(text_, config_.family, config_.max_positions, config_.rope, config_.sliding_rope);
    if (!error_) read_end_tokens();
    if (error_) return *error_;
    return std::move(config_);
  }

 private:
  bool is_gemma() const {
    return config_.family == ModelFamily::kGemma3 || config_.family == ModelFamily::kGemma4;
  }

  void read_family() {
    std::string known;
    for (const Architecture& architecture : kArchitectures)
      known += (known.empty() ? "known: " : ", ") + std::string(architecture.name);
    const auto names = top_.texts("architectures", 16);
    if (error_) return;
    if (names.size() != 1) return top_.fail("architectures", "it must name one architecture", known);
    const auto* const found =
        std::find_if(std::begin(kArchitectures), std::end(kArchitectures),
                     [&](const Architecture& known_one) { return names[0] == known_one.name; });
    if (found == std::end(kArchitectures))
      return top_.fail("architectures", fmt::format("unknown architecture '{}'", names[0].substr(0, 100)),
                       known);
    config_.family = found->family;
    for (JsonFields* fields : {&top_, &text_})
      if (fields->has("quantization_config"))
        return fields->fail("quantization_config", "quantized weights cannot be read");
  }

  void read_sizes() {
    const Defaults defaults = defaults_of(config_.family);
    config_.hidden_size = text_.integer("hidden_size", 1, kMostWidth, defaults.hidden_size);
    config_.layers = text_.integer("num_hidden_layers", 1, kMostLayers, defaults.layers);
    config_.heads = text_.integer("num_attention_heads", 1, kMostHeads, defaults.heads);
    const bool defaults_to_heads = config_.family == ModelFamily::kLlama;
    config_.kv_heads = text_.integer("num_key_value_heads", 1, kMostHeads,
                                     defaults_to_heads ? config_.heads : defaults.kv_heads);
    if (!text_.has("head_dim") && config_.family == ModelFamily::kLlama &&
        config_.hidden_size % config_.heads != 0)
      return text_.fail(
          "hidden_size",
          fmt::format("{} is not a multiple of num_attention_heads {}", config_.hidden_size, config_.heads),
          "where head_dim is not given");
    config_.head_dim =
        text_.integer("head_dim", 1, kMostHeadDim,
                      defaults.head_dim.value_or(std::max(1, config_.hidden_size / config_.heads)));
    config_.intermediate_size = text_.integer("intermediate_size", 1, kMostWidth, defaults.intermediate_size);
    config_.vocab_size = text_.integer("vocab_size", 1, kMostTokens, defaults.vocab_size);
    config_.max_positions =
        text_.integer("max_position_embeddings", 1, kMostPositions, defaults.max_positions);
    config_.rms_norm_eps = text_.number("rms_norm_eps", 1e-12, 0.1, 1e-6);
    config_.tie_word_embeddings =
        text_.boolean("tie_word_embeddings", top_.boolean("tie_word_embeddings", defaults.tied));
    config_.full_head_dim = config_.head_dim;
    config_.full_kv_heads = config_.kv_heads;
    config_.shared_intermediate_size = config_.intermediate_size;
    if (config_.family == ModelFamily::kGemma4) read_gemma4_sizes();
  }

  void read_gemma4_sizes() {
    config_.full_head_dim = text_.integer("global_head_dim", 1, kMostHeadDim, 512);
    config_.full_keys_are_values = text_.boolean("attention_k_eq_v", false);
    const int full_kv_heads = text_.integer("num_global_key_value_heads", 1, kMostHeads, config_.kv_heads);
    if (config_.full_keys_are_values) config_.full_kv_heads = full_kv_heads;  // which otherwise nobody reads
    config_.per_layer_input_size = text_.integer("hidden_size_per_layer_input", 0, kMostWidth, 256);
    if (config_.per_layer_input_size > 0)
      config_.per_layer_vocab_size =
          text_.integer("vocab_size_per_layer_input", config_.vocab_size, kMostTokens, 262144);
    config_.shared_kv_layers = text_.integer("num_kv_shared_layers", 0, config_.layers - 1, 0);
    if (text_.boolean("use_double_wide_mlp", false)) config_.shared_intermediate_size *= 2;
    if (text_.boolean("enable_moe_block", false))
      text_.fail("enable_moe_block", "only dense models can be read");
    if (text_.text("use_bidirectional_attention", "") == "all")
      text_.fail("use_bidirectional_attention", "only causal models can be read");
  }

  /// Newer files say which layers have heads of their own; these must be those with full attention, all
  /// alike.
  void read_layer_heads() {
    if (config_.family != ModelFamily::kGemma4 || !text_.has("per_layer_config")) return;
    JsonFields layers = text_.object("per_layer_config");
    bool first = true;
    for (int i = 0; i < config_.layers && !error_; ++i) {
      const bool full = config_.layer_types[static_cast<std::size_t>(i)] == LayerType::kFull;
      const std::string key = std::to_string(i);
      JsonFields layer = layers.object(key);
      layer.only({"head_dim", "num_key_value_heads"});
      const int head_dim = layer.integer("head_dim", 1, kMostHeadDim, config_.head_dim);
      const int kv_heads = layer.integer("num_key_value_heads", 1, kMostHeads, config_.kv_heads);
      if (full && first) {
        config_.full_head_dim = head_dim;
        config_.full_kv_heads = kv_heads;
        first = false;
      }
      if (head_dim != (full ? config_.full_head_dim : config_.head_dim) ||
          kv_heads != (full ? config_.full_kv_heads : config_.kv_heads))
        layers.fail(key, "layers of one type have heads of two kinds");
    }
  }

  /// Layers that share keys and values need one of their type that computes them.
  void check_sharing() {
    const auto first_shared = config_.layer_types.end() - config_.shared_kv_layers;
    for (auto layer = first_shared; layer != config_.layer_types.end(); ++layer)
      if (std::find(config_.layer_types.begin(), first_shared, *layer) == first_shared)
        return text_.fail("num_kv_shared_layers",
                          fmt::format("of {} layers none of the first has the type of layer {}",
                                      config_.layers, layer - config_.layer_types.begin()));
  }

  void check_all_heads() {
    check_heads("num_key_value_heads", config_.kv_heads, "head_dim", config_.head_dim);
    const bool by_layer = text_.has("per_layer_config");
    check_heads(by_layer ? "per_layer_config" : "num_global_key_value_heads", config_.full_kv_heads,
                by_layer ? "per_layer_config" : "global_head_dim", config_.full_head_dim);
  }

  void check_heads(std::string_view kv_key, int kv_heads, std::string_view dim_key, int head_dim) {
    if (config_.heads % kv_heads != 0)
      text_.fail(kv_key,
                 fmt::format("num_attention_heads {} is not a multiple of {}", config_.heads, kv_heads));
    if (head_dim % 2 != 0) text_.fail(dim_key, fmt::format("{} is odd", head_dim), "positions turn pairs");
  }

  void read_attention() {
    config_.attention_bias = text_.boolean("attention_bias", false);
    config_.mlp_bias = config_.family == ModelFamily::kLlama && text_.boolean("mlp_bias", false);
    const std::string_view key = is_gemma() ? "hidden_activation" : "hidden_act";
    const std::string expected = is_gemma() ? "gelu_pytorch_tanh" : "silu";
    const std::string activation = text_.text(key, expected);
    if (activation != expected)
      text_.fail(key, fmt::format("unknown activation '{}'", activation.substr(0, 100)),
                 "known: " + expected);
    config_.activation = is_gemma() ? Activation::kGeluTanh : Activation::kSilu;
    config_.attention_scale = 1 / std::sqrt(static_cast<double>(config_.head_dim));
    if (config_.family == ModelFamily::kGemma3) {
      config_.attention_scale = 1 / std::sqrt(text_.number("query_pre_attn_scalar", 1e-3, 1e6, 256));
      config_.attention_soft_cap = soft_cap("attn_logit_softcapping");
      if (text_.boolean("use_bidirectional_attention", false))
        text_.fail("use_bidirectional_attention", "only causal models can be read");
    }
    if (config_.family == ModelFamily::kGemma4) config_.attention_scale = 1;
    if (is_gemma()) config_.logit_soft_cap = soft_cap("final_logit_softcapping");
  }

  double soft_cap(std::string_view key) { return text_.has(key) ? text_.number(key, 1e-3, kMostSoftCap) : 0; }

  /// Whether layer i has a sliding window where layer_types does not say.
  bool slides_by_default(int layer) {
    if (is_gemma()) {
      const int last = config_.layers - 1;
      if (config_.family == ModelFamily::kGemma4 && layer == last) return false;
      const std::string_view key =
          text_.has("_sliding_window_pattern") ? "_sliding_window_pattern" : "sliding_window_pattern";
      return (layer + 1) % text_.integer(key, 1, kMostLayers, 6) != 0;
    }
    if (config_.family != ModelFamily::kQwen3 || !text_.boolean("use_sliding_window", false)) return false;
    return layer >= text_.integer("max_window_layers", 0, kMostLayers, 28);
  }

  void read_layer_types() {
    const auto names = text_.texts("layer_types", kMostLayers);
    if (error_) return;
    if (text_.has("layer_types") && names.size() != static_cast<std::size_t>(config_.layers))
      return text_.fail("layer_types", fmt::format("{} entries for {} layers", names.size(), config_.layers));
    for (int layer = 0; layer < config_.layers; ++layer) {
      bool slides = false;
      if (names.empty()) {
        slides = slides_by_default(layer);
      } else {
        const std::string& name = names[static_cast<std::size_t>(layer)];
        slides = name == "sliding_attention";
        if (!slides && name != "full_attention")
          return text_.fail("layer_types", fmt::format("unknown type '{}'", name.substr(0, 100)),
                            "known: full_attention, sliding_attention");
      }
      config_.layer_types.push_back(slides ? LayerType::kSliding : LayerType::kFull);
    }
    if (config_.family == ModelFamily::kGemma4 && config_.layer_types.back() == LayerType::kSliding)
      return text_.fail("layer_types", "the last layer must be full_attention");
    if (std::find(config_.layer_types.begin(), config_.layer_types.end(), LayerType::kSliding) !=
        config_.layer_types.end())
      config_.sliding_window =
          text_.integer("sliding_window", 1, kMostPositions, defaults_of(config_.family).sliding_window);
  }

  void read_end_tokens() {
    JsonFields& fields = top_.has("eos_token_id") ? top_ : text_;
    config_.end_tokens = fields.integers("eos_token_id", config_.vocab_size - 1, kMostEndTokens);
    if (config_.end_tokens.empty() && is_gemma()) config_.end_tokens = {1};
  }

  std::optional<Error> error_;
  JsonFields top_;
  JsonFields text_;
  ModelConfig config_;
};

}  // namespace

Result<ModelConfig> parse_model_config(std::string_view config, std::string_view generation,
                                       const std::string& config_path, const std::string& generation_path) {
  const auto object = parse_json(config, kConfigLimits, config_path);
  if (!object) return object.error();
  auto model = ConfigReader(*object, config_path).read();
  if (!model || generation.empty()) return model;
  const auto how = parse_json(generation, kConfigLimits, generation_path);
  if (!how) return how.error();
  std::optional<Error> error;
  auto tokens = JsonFields(*how, "", generation_path, error)
                    .integers("eos_token_id", model->vocab_size - 1, kMostEndTokens);
  if (error) return *error;
  if (!tokens.empty()) model->end_tokens = std::move(tokens);
  return model;
}

Result<ModelConfig> read_model_config(const std::string& folder) {
  const std::string config_path = folder + "/config.json";
  const std::string generation_path = folder + "/generation_config.json";
  const auto config = MappedFile::open(config_path, kMostConfigBytes);
  if (!config) return config.error();
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(generation_path, ignored)))
    return parse_model_config(config->bytes(), {}, config_path, generation_path);
  const auto generation = MappedFile::open(generation_path, kMostConfigBytes);
  if (!generation) return generation.error();
  if (generation->bytes().empty())
    return Error{"it is empty", {std::make_shared<const std::string>(generation_path), 0, 0}};
  return parse_model_config(config->bytes(), generation->bytes(), config_path, generation_path);
}

}  // namespace dspark
