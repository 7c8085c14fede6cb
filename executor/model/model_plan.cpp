#include "executor/model/model_plan.h"

#include "policies/invariant.h"

namespace dspark {
namespace {

std::size_t size(int number) { return static_cast<std::size_t>(number); }

/// Layers from the first shared one on read the keys and values of the last layer of their type before it.
std::size_t kv_layer_of(const ModelConfig& config, std::size_t layer) {
  const std::size_t first_shared = size(config.layers - config.shared_kv_layers);
  if (layer < first_shared) return layer;
  for (std::size_t source = first_shared; source-- > 0;)
    if (config.layer_types[source] == config.layer_types[layer]) return source;
  DSPARK_INVARIANT(!"a type of layer that shares has a layer to share with");
  return layer;
}

LayerPlan plan_layer(const ModelConfig& config, std::size_t layer) {
  const bool full = config.layer_types[layer] == LayerType::kFull;
  LayerPlan plan;
  plan.type = config.layer_types[layer];
  plan.heads = size(config.heads);
  plan.kv_heads = size(full ? config.full_kv_heads : config.kv_heads);
  plan.head_dim = size(full ? config.full_head_dim : config.head_dim);
  plan.kv_layer = kv_layer_of(config, layer);
  plan.owns_kv = plan.kv_layer == layer;
  plan.projects_values = plan.owns_kv && !(full && config.full_keys_are_values);
  plan.intermediate = size(plan.owns_kv ? config.intermediate_size : config.shared_intermediate_size);
  plan.attention = {.scale = static_cast<float>(config.attention_scale),
                    .soft_cap = static_cast<float>(config.attention_soft_cap),
                    .window = full ? 0 : config.sliding_window};
  return plan;
}

}  // namespace

ModelPlan plan_model(const ModelConfig& config) {
  const bool gemma3 = config.family == ModelFamily::kGemma3;
  const bool gemma4 = config.family == ModelFamily::kGemma4;
  ModelPlan plan;
  for (std::size_t layer = 0; layer < size(config.layers); ++layer)
    plan.layers.push_back(plan_layer(config, layer));
  plan.hidden = size(config.hidden_size);
  plan.vocabulary = size(config.vocab_size);
  plan.epsilon = static_cast<float>(config.rms_norm_eps);
  plan.norm_offset = gemma3 ? 1.0F : 0.0F;
  plan.scaled_embedding = gemma3 || gemma4;
  plan.head_norms = config.family != ModelFamily::kLlama;
  plan.value_norms = gemma4;
  plan.sandwich_norms = gemma3 || gemma4;
  plan.layer_scalars = gemma4;
  plan.attention_bias = config.attention_bias;
  plan.mlp_bias = config.mlp_bias;
  plan.tied = config.tie_word_embeddings;
  plan.activation =
      config.activation == Activation::kSilu ? GateActivation::kSilu : GateActivation::kGeluTanh;
  plan.logit_soft_cap = static_cast<float>(config.logit_soft_cap);
  plan.per_layer_width = size(config.per_layer_input_size);
  plan.per_layer_vocabulary = size(config.per_layer_vocab_size);
  plan.full_rope = config.rope;
  plan.sliding_rope = config.sliding_rope;
  return plan;
}

}  // namespace dspark
