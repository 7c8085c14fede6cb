#include "executor/model/tensor_names.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace dspark {
namespace {

using Shape = std::vector<std::size_t>;

class Collector {
 public:
  Collector(std::vector<ModelTensor>& tensors, std::string prefix, int layer)
      : tensors_(tensors), prefix_(std::move(prefix)), layer_(layer) {}

  void tensor(const std::string& name, WeightRole role, Shape shape) {
    tensors_.push_back({{prefix_ + name, std::move(shape)}, role, layer_});
  }
  void norm(const std::string& name, WeightRole role, std::size_t width) {
    tensor(name + ".weight", role, {width});
  }
  void projection(const std::string& name, WeightRole role, std::size_t outputs, std::size_t inputs) {
    tensor(name + ".weight", role, {outputs, inputs});
  }
  void projection(const std::string& name, WeightRole role, std::size_t outputs, std::size_t inputs,
                  bool has_bias, WeightRole bias) {
    projection(name, role, outputs, inputs);
    if (has_bias) tensor(name + ".bias", bias, {outputs});
  }

 private:
  std::vector<ModelTensor>& tensors_;
  std::string prefix_;
  int layer_;
};

void add_attention(const ModelPlan& plan, const LayerPlan& layer, std::size_t input, Collector& add) {
  const bool bias = plan.attention_bias;
  add.projection("self_attn.q_proj", WeightRole::kQuery, layer.query_width(), input, bias,
                 WeightRole::kQueryBias);
  if (layer.owns_kv)
    add.projection("self_attn.k_proj", WeightRole::kKey, layer.kv_width(), input, bias, WeightRole::kKeyBias);
  if (layer.projects_values)
    add.projection("self_attn.v_proj", WeightRole::kValue, layer.kv_width(), input, bias,
                   WeightRole::kValueBias);
  add.projection("self_attn.o_proj", WeightRole::kOutput, plan.hidden, layer.query_width(), bias,
                 WeightRole::kOutputBias);
  if (plan.head_norms) add.norm("self_attn.q_norm", WeightRole::kQueryNorm, layer.head_dim);
  if (plan.head_norms && layer.owns_kv) add.norm("self_attn.k_norm", WeightRole::kKeyNorm, layer.head_dim);
}

void add_layer(const ModelPlan& plan, std::size_t index, Collector add) {
  const LayerPlan& layer = plan.layers[index];
  add.norm("input_layernorm", WeightRole::kInputNorm, plan.hidden);
  add_attention(plan, layer, plan.attention_input(index), add);
  if (plan.sandwich_norms) {
    add.norm("post_attention_layernorm", WeightRole::kAfterAttentionNorm, plan.hidden);
    add.norm("pre_feedforward_layernorm", WeightRole::kFeedForwardNorm, plan.hidden);
    add.norm("post_feedforward_layernorm", WeightRole::kAfterFeedForwardNorm, plan.hidden);
  } else {
    add.norm("post_attention_layernorm", WeightRole::kFeedForwardNorm, plan.hidden);
  }
  const bool bias = plan.mlp_bias;
  add.projection("mlp.gate_proj", WeightRole::kGate, layer.intermediate, plan.hidden, bias,
                 WeightRole::kGateBias);
  add.projection("mlp.up_proj", WeightRole::kUp, layer.intermediate, plan.hidden, bias, WeightRole::kUpBias);
  add.projection("mlp.down_proj", WeightRole::kDown, plan.hidden, layer.intermediate, bias,
                 WeightRole::kDownBias);
  if (plan.per_layer_width > 0) {
    add.projection("per_layer_input_gate", WeightRole::kPerLayerGate, plan.per_layer_width, plan.hidden);
    add.projection("per_layer_projection", WeightRole::kPerLayerProjection, plan.hidden,
                   plan.per_layer_width);
    add.norm("post_per_layer_input_norm", WeightRole::kAfterPerLayerNorm, plan.hidden);
  }
  if (plan.layer_scalars) add.tensor("layer_scalar", WeightRole::kLayerScalar, {1});
}

std::string layer_prefix(const TensorLayout& layout, std::size_t index) {
  if (index == 0 && !layout.first_layer.empty()) return layout.first_layer;
  return fmt::format("{}layers.{}.", layout.decoder, index);
}

}  // namespace

TensorLayout tensor_layout(const Checkpoint& checkpoint) {
  const TensorLayout with_images[] = {
      {"model.language_model.", "lm_head.weight", true},
      {"language_model.model.", "language_model.lm_head.weight", true},
  };
  for (const TensorLayout& layout : with_images)
    if (checkpoint.has(layout.decoder + "embed_tokens.weight")) return layout;
  return {};
}

std::vector<ModelTensor> model_tensors(const ModelPlan& plan, const TensorLayout& layout) {
  std::vector<ModelTensor> tensors;
  Collector decoder(tensors, layout.decoder, -1);
  if (layout.has_embedding)
    decoder.projection("embed_tokens", WeightRole::kEmbedding, plan.vocabulary, plan.hidden);
  if (plan.per_layer_width > 0) {
    const std::size_t all_layers = plan.layers.size() * plan.per_layer_width;
    decoder.projection("embed_tokens_per_layer", WeightRole::kPerLayerEmbedding, plan.per_layer_vocabulary,
                       all_layers);
    decoder.projection("per_layer_model_projection", WeightRole::kPerLayerModelProjection, all_layers,
                       plan.hidden);
    decoder.norm("per_layer_projection_norm", WeightRole::kPerLayerModelNorm, plan.per_layer_width);
  }
  for (std::size_t i = 0; i < plan.layers.size(); ++i)
    add_layer(plan, i, Collector(tensors, layer_prefix(layout, i), static_cast<int>(i)));
  const std::string& final_norm = layout.final_norm;
  Collector(tensors, "", -1)
      .tensor(final_norm.empty() ? layout.decoder + "norm.weight" : final_norm, WeightRole::kFinalNorm,
              {plan.hidden});
  if (!plan.tied && layout.has_head)
    tensors.push_back({{layout.head, {plan.logits(), plan.hidden}}, WeightRole::kHead, -1});
  tensors.insert(tensors.end(), layout.heads.begin(), layout.heads.end());
  return tensors;
}

std::vector<std::string> ignored_tensors(const ModelPlan& plan, const TensorLayout& layout) {
  std::vector<std::string> ignored;
  if (layout.has_other_parts)
    ignored = {
        "vision_tower.",      "multi_modal_projector.", "model.vision_tower.",         "model.embed_vision.",
        "model.audio_tower.", "model.embed_audio.",     "model.multi_modal_projector."};
  ignored.insert(ignored.end(), layout.ignored.begin(), layout.ignored.end());
  if (plan.tied) ignored.push_back(layout.head);
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    const std::string attention = layer_prefix(layout, i) + "self_attn.";
    ignored.push_back(attention + "rotary_emb.inv_freq");
    if (plan.layers[i].owns_kv) continue;
    for (const char* name : {"k_proj.", "v_proj.", "k_norm.", "v_norm."}) ignored.push_back(attention + name);
  }
  return ignored;
}

std::optional<Error> check_tensors(const Checkpoint& checkpoint, const ModelPlan& plan,
                                   const TensorLayout& layout) {
  std::vector<ExpectedTensor> expected;
  for (ModelTensor& tensor : model_tensors(plan, layout)) expected.push_back(std::move(tensor.expected));
  const Errors errors = checkpoint.check(expected, ignored_tensors(plan, layout));
  if (errors.empty()) return std::nullopt;
  Error error = errors.front();
  for (std::size_t i = 1; i < errors.size(); ++i) error.message += "; " + errors[i].message;
  return error;
}

}  // namespace dspark
