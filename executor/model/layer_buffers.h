#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "executor/model/model_plan.h"

namespace dspark {

/// What a step computes in, in the backend's memory, f32. Each is as wide as the widest layer needs and holds
/// the most rows a step may have.
class LayerBuffers {
 public:
  enum Name : std::uint8_t {
    kStream,      // (rows, width) the residual stream
    kNormed,      // (rows, width); twice as wide where features are read
    kEmbedded,    // (rows, width) embeddings that stand beside features
    kBranch,      // (rows, width) what a block gives, before it is added
    kQueries,     // (rows, heads, head_dim)
    kKeys,        // (rows, kv_heads, head_dim)
    kValues,      // (rows, kv_heads, head_dim)
    kAttended,    // (rows, heads, head_dim)
    kGate,        // (rows, intermediate)
    kUp,          // (rows, intermediate)
    kFullCosine,  // (rows, head_dim / 2), of full layers
    kFullSine,
    kSlidingCosine,  // the same of sliding ones
    kSlidingSine,
    kPerLayer,       // (rows, layers, per-layer width) embeddings of all layers
    kPerLayerModel,  // the same, of the model's projection
    kPerLayerInput,  // (rows, per-layer width) of one layer
    kPerLayerGate,   // (rows, per-layer width)
    kHidden,         // (rows, width) behind the final norm
    kLogitRows,      // (logit rows, width)
    kLogits,         // (logit rows, vocabulary)
    kKept,           // (kept layers, rows, width)
    kNames,
  };

  /// Numbers of each, in this order.
  static std::vector<std::size_t> numbers(const ModelPlan& plan, std::size_t max_rows,
                                          std::size_t max_logit_rows, std::size_t kept_layers);
  /// Nothing where memory runs out.
  static std::optional<LayerBuffers> make(const ModelPlan& plan, std::size_t max_rows,
                                          std::size_t max_logit_rows, std::size_t kept_layers,
                                          Kernels& kernels);

  std::size_t max_rows() const { return max_rows_; }
  std::size_t bytes() const;
  View<float, 2> matrix(Name name, std::size_t rows, std::size_t width) const {
    return {reinterpret_cast<float*>(buffers_[name]->data()), {rows, width}};
  }
  View<float, 3> heads(Name name, std::size_t rows, std::size_t heads, std::size_t head_dim) const {
    return {reinterpret_cast<float*>(buffers_[name]->data()), {rows, heads, head_dim}};
  }

 private:
  std::vector<std::unique_ptr<Buffer>> buffers_;
  std::size_t max_rows_ = 0;
};

}  // namespace dspark
