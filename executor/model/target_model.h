#pragma once

#include <cstdint>
#include <span>

#include "kernels/kernels.h"

namespace dspark {

/// A model that the runner verifies with: its weights, and its keys and values in blocks that the serving
/// engine counts (sim/engine/kv_blocks.h).
class TargetModel {
 public:
  virtual ~TargetModel() = default;
  virtual std::size_t vocab_size() const = 0;
  /// Computes the rows of a step, whose keys and values replace those cached at their positions, and the
  /// logits of `logit_rows`, which rise. tokens: (rows), 0 .. vocab_size - 1. A row's logits depend on the
  /// tokens up to it in its request and on nothing else, in every bit. Result: (logit_rows, vocab_size), of
  /// the kernels' memory; the caller may write over it, and the next call does.
  virtual View<float, 2> forward(const RaggedRows& rows, std::span<const std::int32_t> tokens,
                                 std::span<const std::int32_t> logit_rows) = 0;
};

}  // namespace dspark
