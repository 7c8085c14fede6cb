#include "executor/drafter/draft_cache.h"

#include <algorithm>
#include <utility>

#include "policies/invariant.h"

namespace dspark {

Result<DraftCache> DraftCache::make(const ModelPlan& plan, std::size_t tokens, Kernels& kernels) {
  const std::size_t blocks = (tokens + kBlockTokens - 1) / kBlockTokens;
  auto kv = KvCache::make(plan, blocks, kBlockTokens, kernels);
  if (!kv) return kv.error();
  return DraftCache(std::move(*kv), blocks, kBlockTokens);
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

/// The blocks before `first`, which the prefix has been kept in.
void DraftCache::begin_behind(Kept& request, std::int32_t first, SharedPrefix shared) {
  const auto needed = static_cast<std::size_t>(blocks_.blocks_for(first));
  const std::span<const BlockId> blocks = blocks_.kept(shared.prefix);
  if (first > shared.tokens || needed * kBlockTokens != static_cast<std::size_t>(first) ||
      needed > blocks.size())
    return;
  for (const BlockId block : blocks.first(needed)) {
    blocks_.retain(block);
    request.blocks.push_back(static_cast<std::int32_t>(block));
  }
  request.length = first;
}

bool DraftCache::extend(RequestId id, std::int32_t first, std::int32_t count, SharedPrefix shared) {
  DSPARK_INVARIANT(first >= 0 && count >= 0);
  Kept& request = kept(id);
  if (first > 0 && request.length == 0) begin_behind(request, first, shared);
  if (first > length(id) || !reserve(id, first + count)) {
    forget(id);
    return false;
  }
  request.length = first + count;
  const std::int32_t common = std::min(request.length, shared.tokens);
  if (common == 0) return true;
  for (auto next = blocks_.kept(shared.prefix).size();
       (next + 1) * kBlockTokens <= static_cast<std::size_t>(common); ++next) {
    blocks_.keep(static_cast<BlockId>(request.blocks[next]), shared.prefix);
  }
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
