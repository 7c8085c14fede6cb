#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "executor/checkpoint/checkpoint.h"
#include "executor/model/model_plan.h"
#include "executor/model/tensor_names.h"
#include "policies/error.h"

namespace dspark {

/// The weights of one layer, or those of no layer, by role.
class WeightSet {
 public:
  bool has(WeightRole role) const { return at(role).matrix != nullptr || !at(role).vector.empty(); }
  const Matrix& matrix(WeightRole role) const;
  /// Norms and biases, f32 in the backend's memory; empty where the model has none.
  View<const float, 1> vector(WeightRole role) const { return at(role).vector; }
  float layer_scalar() const { return layer_scalar_; }
  /// Of a drafter that norms each of the target's layers that it reads, in their order; else empty.
  std::span<const View<const float, 1>> target_layer_norms() const { return target_layer_norms_; }

 private:
  friend class ModelWeights;
  struct Weight {
    std::shared_ptr<const Matrix> matrix;  // its own, or another model's, which is not its to free
    View<const float, 1> vector;
  };
  const Weight& at(WeightRole role) const { return weights_[static_cast<std::size_t>(role)]; }

  std::array<Weight, kWeightRoles> weights_;
  std::vector<View<const float, 1>> target_layer_norms_;
  float layer_scalar_ = 1;
};

/// All weights of a model in a backend's memory: matrices in its weight type, norms and biases in f32.
class ModelWeights {
 public:
  /// Errors: tensors missing, surplus or misshapen; a number that is not finite, which would make every token
  /// of every request senseless; memory runs out. `kernels` outlives the weights, `checkpoint` need not.
  static Result<ModelWeights> load(const Checkpoint& checkpoint, const ModelPlan& plan,
                                   const TensorLayout& layout, Kernels& kernels);

  /// A matrix of another model, which outlives this one, in the place of one that the checkpoint lacks.
  void borrow(WeightRole role, const Matrix& matrix);

  const WeightSet& layer(std::size_t i) const { return layers_[i]; }
  const WeightSet& model() const { return model_; }
  /// The LM head: the embedding where they are tied.
  const Matrix& head() const {
    return model_.matrix(model_.has(WeightRole::kHead) ? WeightRole::kHead : WeightRole::kEmbedding);
  }
  /// In the backend's memory.
  std::size_t bytes() const { return bytes_; }

 private:
  WeightSet& set(int layer) { return layer < 0 ? model_ : layers_[static_cast<std::size_t>(layer)]; }

  WeightSet model_;
  std::vector<WeightSet> layers_;
  std::unique_ptr<Buffer> vectors_;
  std::size_t bytes_ = 0;
};

}  // namespace dspark
