#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "executor/model/decoder.h"

namespace dspark {

/// How a drafter makes its feature of a position from the target's layers.
struct FeatureRule {
  std::vector<int> layers;  // of the target: -1 the embedding, i the output of layer i
  std::vector<View<const float, 1>> layer_norms = {};  // of each layer's output: (width); empty: none
  View<const float, 1> joined_norm = {};  // of all of them side by side: (layers · width); empty: none
  float norm_offset = 0, epsilon = 0;     // of these norms
  const Matrix* fusion = nullptr;         // of all of them side by side; null: there is one, as it is
};

/// Computes features of committed rows.
class TargetFeatures {
 public:
  /// width: of the target's layers. Errors: memory runs out. `kernels` and what the rule names outlive it.
  static Result<TargetFeatures> make(FeatureRule rule, std::size_t width, std::size_t max_rows,
                                     Kernels& kernels);

  const FeatureRule& rule() const { return rule_; }
  /// (rows.size(), width of a feature), until the next call. kept: the outputs of the rule's layers.
  View<const float, 2> of(std::span<const View<const float, 2>> kept, std::span<const std::int32_t> rows);

 private:
  TargetFeatures(FeatureRule rule, std::size_t width, Kernels& kernels)
      : rule_(std::move(rule)), width_(width), kernels_(&kernels) {}

  FeatureRule rule_;
  std::size_t width_;
  std::size_t max_rows_ = 0;
  Kernels* kernels_;
  std::vector<std::unique_ptr<Buffer>> gathered_;  // of each layer: (max rows, width)
  std::unique_ptr<Buffer> beside_;                 // (max rows, layers · width)
  std::unique_ptr<Buffer> fused_;                  // (max rows, width)
};

}  // namespace dspark
