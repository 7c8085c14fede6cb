#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policies/error.h"

namespace dspark {

/// The decoder-only families that are known, of Gemma the text part.
enum class ModelFamily : std::uint8_t { kQwen3, kLlama, kGemma3, kGemma4 };
/// Of the feed-forward gate: SwiGLU or GeGLU with the tanh approximation.
enum class Activation : std::uint8_t { kSilu, kGeluTanh };
/// Which earlier positions a layer attends to: all, or those of the sliding window.
enum class LayerType : std::uint8_t { kFull, kSliding };

/// Rotary position embedding of one layer type. Pair i of n = head_dim / 2 turns by position · theta^(-i/n)
/// before scaling.
struct Rope {
  enum class Scaling : std::uint8_t {
    kNone,
    kLinear,        // frequencies divided by factor
    kLlama3,        // factor, low_frequency, high_frequency, trained_positions
    kYarn,          // factor, beta_fast, beta_slow, attention_factor, trained_positions
    kProportional,  // the first partial share of the pairs turns, the rest stays (Gemma 4)
  };
  double theta = 10000;
  Scaling scaling = Scaling::kNone;
  double factor = 1;            // context lengthened by it, from 1
  double low_frequency = 0;     // llama3: trained_positions per wave, below which a frequency is divided
  double high_frequency = 0;    // llama3: and above which it stays; more than low_frequency
  double beta_fast = 0;         // yarn: turns over trained_positions above which a frequency stays
  double beta_slow = 0;         // yarn: and below which it is divided
  double attention_factor = 0;  // yarn: of cosine and sine; 0: 0.1 ln(factor) + 1
  double partial = 1;           // proportional: share of the pairs, above 0, at most 1
  int trained_positions = 0;    // context length before scaling, in tokens; 0 where the scaling needs none
};

/// What a folder's `config.json` and `generation_config.json` say of a model. All sizes are at least 1 unless
/// it says otherwise.
struct ModelConfig {
  ModelFamily family = ModelFamily::kLlama;
  int hidden_size = 0;  // d, numbers per token
  int layers = 0;
  int heads = 0;          // of queries; a multiple of kv_heads
  int kv_heads = 0;       // of keys and values
  int head_dim = 0;       // numbers per head, even
  int full_kv_heads = 0;  // the same of layers with full attention, which differ in Gemma 4 only
  int full_head_dim = 0;
  int intermediate_size = 0;  // of the feed-forward block
  int vocab_size = 0;         // token ids are 0 .. vocab_size - 1
  int max_positions = 0;      // context length that the publisher names, tokens
  double rms_norm_eps = 0;
  Activation activation = Activation::kSilu;
  bool attention_bias = false;         // q, k, v and o projections have one
  bool mlp_bias = false;               // gate, up and down projections have one
  bool tie_word_embeddings = false;    // the LM head is the embedding
  bool full_keys_are_values = false;   // Gemma 4: layers with full attention have no v_proj
  Rope rope;                           // of layers with full attention
  Rope sliding_rope;                   // of layers with a sliding window
  std::vector<LayerType> layer_types;  // one a layer
  int sliding_window = 0;              // tokens, a query's own among them; 0: no layer has one
  double attention_scale = 0;          // of the product of query and key
  double attention_soft_cap = 0;       // c·tanh(score/c); 0: none
  double logit_soft_cap = 0;           // of the final logits; 0: none
  int per_layer_input_size = 0;        // Gemma 4: width of the per-layer embeddings; 0: none
  int per_layer_vocab_size = 0;        // Gemma 4: tokens that have them, at least vocab_size; 0: none
  int shared_kv_layers = 0;  // Gemma 4: last layers, which use the keys and values of the last layer of
                             // their type before them
  int shared_intermediate_size = 0;  // of the feed-forward block of those
  std::vector<int> end_tokens;  // any of them ends a reply; of generation_config.json where it names some
};

/// Reads `config.json` and, where it is there, `generation_config.json` of a model's folder. Errors name the
/// file and the key: an unknown architecture, what no reader of it would expect, a value out of its range.
/// Formats: the configuration classes of github.com/huggingface/transformers.
Result<ModelConfig> read_model_config(const std::string& folder);

/// The same of the two texts; `generation` may be empty.
Result<ModelConfig> parse_model_config(std::string_view config, std::string_view generation,
                                       const std::string& config_path, const std::string& generation_path);

}  // namespace dspark
