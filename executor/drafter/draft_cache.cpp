#include "executor/drafter/draft_cache.h"

#include <algorithm>
#include <utility>

#include "policies/invariant.h"

namespace dspark {

Result<DraftCache> DraftCache::make(const ModelPlan& plan, std::size_t tokens, std::size_t block_tokens,
                                    Kernels& kernels) {
  const std::size_t blocks = (tokens + block_tokens - 1) / block_tokens;
  auto kv = KvCache::make(plan, blocks, block_tokens, kernels);
  if (!kv) return kv.error();
  return DraftCache(std::move(*kv), blocks, block_tokens);
}

DraftCache::DraftCache(KvCache kv, std::size_t blocks, std::size_t block_tokens)
    : kv_(std::move(kv)), blocks_(static_cast<int>(blocks), static_cast<int>(block_tokens)) {}

DraftCache::Kept& DraftCache::kept(RequestId id) {
  const auto index = static_cast<std::size_t>(id);
  if (kept_.size() <= index) kept_.resize(index + 1);
  return kept_[index];
}

std::int32_t DraftCache::length(RequestId id) const {
  const auto index = static_cast<std::size_t>(id);
  return index < kept_.size() ? kept_[index].length : 0;
}

bool DraftCache::extend(RequestId id, std::int32_t first, std::int32_t count) {
  DSPARK_INVARIANT(first >= 0 && count >= 0);
  if (first > length(id) || !reserve(id, first + count)) {
    forget(id);
    return false;
  }
  kept(id).length = first + count;
  return true;
}

bool DraftCache::reserve(RequestId id, std::int32_t end) {
  Kept& request = kept(id);
  const int missing = blocks_.blocks_for(end) - static_cast<int>(request.blocks.size());
  if (missing > blocks_.free()) return false;
  for (int i = 0; i < missing; ++i) request.blocks.push_back(static_cast<std::int32_t>(blocks_.allocate()));
  return true;
}

void DraftCache::forget(RequestId id) {
  Kept& request = kept(id);
  for (const std::int32_t block : request.blocks) blocks_.release(static_cast<BlockId>(block));
  request.blocks.clear();
  request.length = 0;
}

RaggedRows DraftCache::rows(std::span<const RequestId> ids, std::span<const std::int32_t> first_row,
                            std::span<const std::int32_t> first_position) {
  DSPARK_INVARIANT(first_row.size() == ids.size() + 1 && first_position.size() == ids.size());
  std::size_t width = 0;
  for (const RequestId id : ids) width = std::max(width, kept(id).blocks.size());
  block_table_.assign(ids.size() * width, 0);
  for (std::size_t r = 0; r < ids.size(); ++r) {
    const std::vector<std::int32_t>& blocks = kept(ids[r]).blocks;
    std::copy(blocks.begin(), blocks.end(), block_table_.begin() + static_cast<std::ptrdiff_t>(r * width));
  }
  return {first_row, first_position, {block_table_.data(), {ids.size(), width}}};
}

}  // namespace dspark
