#include "sim/engine/kv_blocks.h"

#include "policies/invariant.h"

namespace dspark {

KvBlocks::KvBlocks(int blocks, int block_tokens)
    : block_tokens_(block_tokens), references_(static_cast<std::size_t>(blocks), 0) {
  free_.reserve(references_.size());
  for (int block = blocks; block-- > 0;) free_.push_back(BlockId{block});
}

BlockId KvBlocks::allocate() {
  if (free_.empty() && idle_ > 0) forget_oldest();
  DSPARK_INVARIANT(!free_.empty());
  const BlockId block = free_.back();
  free_.pop_back();
  references_[index(block)] = 1;
  return block;
}

void KvBlocks::retain(BlockId block) {
  std::int32_t& references = references_[index(block)];
  DSPARK_INVARIANT(references > 0 || is_kept(index(block)));
  if (references == 0) unlink_idle(index(block));
  ++references;
}

void KvBlocks::release(BlockId block) {
  std::int32_t& references = references_[index(block)];
  DSPARK_INVARIANT(references > 0);
  if (--references > 0) return;
  if (is_kept(index(block))) {
    push_idle(index(block));
  } else {
    free_.push_back(block);
  }
}

std::span<const BlockId> KvBlocks::kept(std::uint32_t prefix) const {
  const auto found = prefixes_.find(prefix);
  if (found == prefixes_.end()) return {};
  return found->second;
}

void KvBlocks::keep(BlockId block, std::uint32_t prefix) {
  if (place_.empty()) {
    prefix_.resize(references_.size());
    for (auto* column : {&place_, &older_, &newer_}) column->assign(references_.size(), kNone);
  }
  DSPARK_INVARIANT(references_[index(block)] > 0 && !is_kept(index(block)));
  std::vector<BlockId>& blocks = prefixes_[prefix];
  prefix_[index(block)] = prefix;
  place_[index(block)] = static_cast<std::int32_t>(blocks.size());
  blocks.push_back(block);
}

void KvBlocks::push_idle(std::size_t block) {
  older_[block] = newest_;
  newer_[block] = kNone;
  (newest_ == kNone ? oldest_ : newer_[static_cast<std::size_t>(newest_)]) = static_cast<std::int32_t>(block);
  newest_ = static_cast<std::int32_t>(block);
  ++idle_;
}

void KvBlocks::unlink_idle(std::size_t block) {
  const std::int32_t older = older_[block], newer = newer_[block];
  (older == kNone ? oldest_ : newer_[static_cast<std::size_t>(older)]) = newer;
  (newer == kNone ? newest_ : older_[static_cast<std::size_t>(newer)]) = older;
  --idle_;
}

void KvBlocks::forget_oldest() {
  const auto oldest = static_cast<std::size_t>(oldest_);
  const auto found = prefixes_.find(prefix_[oldest]);
  std::vector<BlockId>& blocks = found->second;
  const auto place = static_cast<std::size_t>(place_[oldest]);
  // What stands behind it in the prefix is of no use without it.
  while (blocks.size() > place) {
    const std::size_t last = index(blocks.back());
    blocks.pop_back();
    place_[last] = kNone;
    if (references_[last] > 0) continue;  // its holders go on
    unlink_idle(last);
    free_.push_back(BlockId{static_cast<std::int32_t>(last)});
  }
  if (blocks.empty()) prefixes_.erase(found);
}

}  // namespace dspark
