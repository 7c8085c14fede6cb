#include "sim/engine/kv_blocks.h"

#include "policies/invariant.h"

namespace dspark {

KvBlocks::KvBlocks(int blocks, int block_tokens)
    : block_tokens_(block_tokens), references_(static_cast<std::size_t>(blocks), 0) {
  free_.reserve(references_.size());
  for (int block = blocks; block-- > 0;) free_.push_back(BlockId{block});
}

BlockId KvBlocks::allocate() {
  DSPARK_INVARIANT(!free_.empty());
  const BlockId block = free_.back();
  free_.pop_back();
  references_[static_cast<std::size_t>(block)] = 1;
  return block;
}

void KvBlocks::retain(BlockId block) {
  std::int32_t& references = references_[static_cast<std::size_t>(block)];
  DSPARK_INVARIANT(references > 0);
  ++references;
}

void KvBlocks::release(BlockId block) {
  std::int32_t& references = references_[static_cast<std::size_t>(block)];
  DSPARK_INVARIANT(references > 0);
  if (--references == 0) free_.push_back(block);
}

}  // namespace dspark
