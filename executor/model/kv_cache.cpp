#include "executor/model/kv_cache.h"

#include <fmt/format.h>

#include <utility>

#include "policies/invariant.h"

namespace dspark {
namespace {

std::size_t bytes_of(ElementType type) { return type == ElementType::kF32 ? 4 : 2; }

}  // namespace

Result<KvCache> KvCache::make(const ModelPlan& plan, std::size_t blocks, std::size_t block_tokens,
                              Kernels& kernels) {
  DSPARK_INVARIANT(block_tokens >= 8 && block_tokens <= 256 && (block_tokens & (block_tokens - 1)) == 0);
  KvCache cache;
  cache.blocks_ = blocks;
  cache.block_tokens_ = block_tokens;
  for (const LayerPlan& layer : plan.layers) {
    if (!layer.owns_kv) {
      const KvLayer shared = cache.layers_[layer.kv_layer];
      cache.layers_.push_back(shared);
      continue;
    }
    const std::size_t bytes = blocks * block_tokens * layer.kv_width() * bytes_of(kernels.cache_type());
    KvLayer place{.blocks = blocks,
                  .kv_heads = layer.kv_heads,
                  .block_tokens = block_tokens,
                  .head_dim = layer.head_dim};
    for (std::byte** part : {&place.keys, &place.values}) {
      auto buffer = kernels.allocate(bytes);
      if (buffer == nullptr)
        return Error{
            fmt::format("no memory for keys and values of {} blocks of {} tokens", blocks, block_tokens)};
      *part = buffer->data();
      cache.buffers_.push_back(std::move(buffer));
    }
    cache.layers_.push_back(place);
  }
  return cache;
}

std::size_t KvCache::bytes() const {
  std::size_t sum = 0;
  for (const auto& buffer : buffers_) sum += buffer->bytes();
  return sum;
}

std::size_t kv_bytes_per_token(const ModelPlan& plan, ElementType type) {
  std::size_t numbers = 0;
  for (const LayerPlan& layer : plan.layers)
    if (layer.owns_kv) numbers += 2 * layer.kv_width();
  return numbers * bytes_of(type);
}

}  // namespace dspark
