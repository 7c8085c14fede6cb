#pragma once

#include <cstdint>
#include <span>

#include "kernels/kernels.h"

namespace dspark {

/// What a step of the target gives, in the kernels' memory until its next step.
struct TargetOutput {
  View<float, 2> logits;                            // (logit rows, vocabulary); the caller may write over it
  std::span<const View<const float, 2>> kept = {};  // of each layer that the drafter reads, (rows, width)
};

/// A model that the runner verifies with: its weights, and its keys and values in blocks that the serving
/// engine counts (sim/engine/kv_blocks.h).
class TargetModel {
 public:
  virtual ~TargetModel() = default;
  virtual std::size_t vocab_size() const = 0;
  /// Computes the rows of a step, whose keys and values replace those cached at their positions, and the
  /// logits of `logit_rows`, which rise. tokens: (rows), 0 .. vocab_size - 1. A row's numbers depend on the
  /// tokens up to it in its request and on nothing else, in every bit.
  virtual TargetOutput forward(const RaggedRows& rows, std::span<const std::int32_t> tokens,
                               std::span<const std::int32_t> logit_rows) = 0;
};

}  // namespace dspark
