#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "executor/checkpoint/checkpoint.h"
#include "executor/model/model_plan.h"

namespace dspark {

/// What a tensor is for. Those of a layer come first.
enum class WeightRole : std::uint8_t {
  kInputNorm,
  kQuery,
  kQueryBias,
  kKey,
  kKeyBias,
  kValue,
  kValueBias,
  kQueryNorm,
  kKeyNorm,
  kOutput,
  kOutputBias,
  kAfterAttentionNorm,  // of what attention gives, before it is added
  kFeedForwardNorm,     // of what the feed-forward block reads
  kGate,
  kGateBias,
  kUp,
  kUpBias,
  kDown,
  kDownBias,
  kAfterFeedForwardNorm,
  kPerLayerGate,
  kPerLayerProjection,
  kAfterPerLayerNorm,
  kLayerScalar,
  kEmbedding,
  kPerLayerEmbedding,
  kPerLayerModelProjection,
  kPerLayerModelNorm,
  kFinalNorm,
  kHead,
  kContext,  // of drafters: what they read of the target's layers, projected
  kContextNorm,
  kMarkovEmbedding,  // W1, of the token before
  kMarkovHead,       // W2
  kMarkovGate,
  kMarkovGateBias,
  kConfidence,
  kConfidenceBias,
  kFeatureNorm,        // of a feature of the target
  kEmbeddingNorm,      // of the embedding beside which it is projected
  kFeatureProjection,  // of both
  kTargetLayerNorm,    // of one of the target's layers that are read; each has its own
  kTargetLayersNorm,   // of all of them side by side
};
inline constexpr std::size_t kWeightRoles = static_cast<std::size_t>(WeightRole::kTargetLayersNorm) + 1;

/// A tensor of a model: of two dimensions (outputs, inputs), or of one.
struct ModelTensor {
  ExpectedTensor expected;
  WeightRole role = WeightRole::kHead;
  int layer = -1;  // -1: of no layer

  bool is_matrix() const { return expected.shape.size() == 2; }
  std::size_t numbers() const { return expected.shape[0] * (is_matrix() ? expected.shape[1] : 1); }
};

/// Where a checkpoint keeps the decoder: text models under `model.`, those that read images too under
/// `model.language_model.` or, as older ones, under `language_model.`.
struct TensorLayout {
  std::string decoder = "model.";
  std::string head = "lm_head.weight";
  bool has_other_parts = false;           // of images or sound, whose tensors nobody reads
  bool has_embedding = true;              // else the decoder is given another's
  bool has_head = true;                   // likewise
  std::vector<ModelTensor> heads = {};    // of drafters, beside the layers
  std::vector<std::string> ignored = {};  // beginnings of further names that nobody reads
  std::string first_layer = {};           // its prefix where it is not `layers.0.` behind the decoder's
  std::string final_norm = {};  // its name where it is not `norm.weight` behind the decoder's prefix
};

/// By the name of the embedding; that of a text model where there is none.
TensorLayout tensor_layout(const Checkpoint& checkpoint);

/// All tensors that the forward pass reads, as `transformers` names them.
std::vector<ModelTensor> model_tensors(const ModelPlan& plan, const TensorLayout& layout);

/// Beginnings of names that published checkpoints hold and nobody reads: the parts for images and sound, a
/// head beside a tied embedding, keys and values of layers that share those of others, rotary frequencies.
std::vector<std::string> ignored_tensors(const ModelPlan& plan, const TensorLayout& layout);

/// What is wrong with the tensors as a whole, as one error: missing, surplus or of another shape.
std::optional<Error> check_tensors(const Checkpoint& checkpoint, const ModelPlan& plan,
                                   const TensorLayout& layout);

}  // namespace dspark
