#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "executor/model/model_plan.h"
#include "policies/error.h"

namespace dspark {

/// Keys and values of all layers in blocks of one size, so that one block table serves every layer. A layer
/// that reads those of an earlier one has none of its own. Layers with a sliding window keep all positions.
class KvCache {
 public:
  /// `block_tokens`: a power of two, 8 .. 256. Errors: memory runs out. `kernels` outlives it.
  static Result<KvCache> make(const ModelPlan& plan, std::size_t blocks, std::size_t block_tokens,
                              Kernels& kernels);

  std::size_t blocks() const { return blocks_; }
  std::size_t block_tokens() const { return block_tokens_; }
  /// Where layer i stores and reads, or, where it shares, reads.
  const KvLayer& layer(std::size_t i) const { return layers_[i]; }
  std::size_t bytes() const;

 private:
  std::vector<std::unique_ptr<Buffer>> buffers_;
  std::vector<KvLayer> layers_;
  std::size_t blocks_ = 0;
  std::size_t block_tokens_ = 0;
};

/// That one token takes in all layers together.
std::size_t kv_bytes_per_token(const ModelPlan& plan, ElementType type);

}  // namespace dspark
