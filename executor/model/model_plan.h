#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "executor/checkpoint/model_config.h"
#include "kernels/kernels.h"

namespace dspark {

/// One decoder layer as the forward pass runs it. Sizes are numbers per row.
struct LayerPlan {
  LayerType type = LayerType::kFull;
  std::size_t heads = 0;
  std::size_t kv_heads = 0;
  std::size_t head_dim = 0;
  std::size_t intermediate = 0;
  std::size_t kv_layer = 0;     // whose keys and values it reads: its own, or an earlier layer's
  bool owns_kv = true;          // computes and stores keys and values; kv_layer is the layer itself
  bool projects_values = true;  // else its values are its key projection before norm and rotation
  AttentionRule attention;

  std::size_t query_width() const { return heads * head_dim; }
  std::size_t kv_width() const { return kv_heads * head_dim; }
};

/// How a model reads features of another one beside its tokens: drafters that see the target's layers. Row p
/// has the target's feature of position p and the token that stands behind it.
enum class FeatureUse : std::uint8_t {
  kNone,
  kProjected,        // the stream begins as a projection of [norm(embedding) ; norm(feature)] (MTP)
  kBesideEmbedding,  // it begins as the feature, and the first layer attends from [norm(embedding) ;
                     // norm(feature)] (EAGLE-3)
};

/// The families' differences as data: what a layer consists of and how its numbers are scaled. The forward
/// pass knows no family.
struct ModelPlan {
  std::vector<LayerPlan> layers;
  std::size_t hidden = 0;
  std::size_t vocabulary = 0;
  std::size_t draft_vocabulary = 0;  // tokens that the LM head knows, of a drafter; 0: all
  float epsilon = 0;
  float norm_offset = 0;          // 1: published norm weights count from one (Gemma 3)
  bool scaled_embedding = false;  // by the root of its width (Gemma)
  bool head_norms = false;        // of queries and keys, per head
  bool value_norms = false;       // of values, per head, without weights (Gemma 4)
  bool sandwich_norms = false;    // of what attention and feed-forward give too (Gemma)
  bool layer_scalars = false;     // a number that multiplies each layer's output (Gemma 4)
  bool attention_bias = false;
  bool mlp_bias = false;
  bool tied = false;  // the LM head is the embedding
  GateActivation activation = GateActivation::kSilu;
  float logit_soft_cap = 0;         // 0: none
  std::size_t per_layer_width = 0;  // of the per-layer embeddings (Gemma 4); 0: none
  std::size_t per_layer_vocabulary = 0;
  FeatureUse features = FeatureUse::kNone;
  bool normed_residual = false;  // kBesideEmbedding: the stream begins as norm(feature)
  Rope full_rope;
  Rope sliding_rope;

  /// Width of what the projections of queries, keys and values read.
  std::size_t attention_input(std::size_t layer) const {
    return layer == 0 && features == FeatureUse::kBesideEmbedding ? 2 * hidden : hidden;
  }
  const Rope& rope(LayerType type) const { return type == LayerType::kFull ? full_rope : sliding_rope; }
  std::size_t logits() const { return draft_vocabulary > 0 ? draft_vocabulary : vocabulary; }
  /// The largest of a size over all layers.
  template <class Size>
  std::size_t widest(Size size) const {
    std::size_t most = 0;
    for (const LayerPlan& layer : layers) most = size(layer) > most ? size(layer) : most;
    return most;
  }
};

/// `config` as read_model_config gives it.
ModelPlan plan_model(const ModelConfig& config);

}  // namespace dspark
