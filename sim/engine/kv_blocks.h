#pragma once

#include <cstdint>
#include <vector>

namespace dspark {

enum class BlockId : std::int32_t {};

/// The paged KV cache's blocks, counted by reference: a block is free when nobody holds it. Never allocates
/// memory after construction.
class KvBlocks {
 public:
  KvBlocks(int blocks, int block_tokens);

  int block_tokens() const { return block_tokens_; }
  int total() const { return static_cast<int>(references_.size()); }
  int free() const { return static_cast<int>(free_.size()); }
  int used() const { return total() - free(); }
  int blocks_for(std::int64_t tokens) const {
    return static_cast<int>((tokens + block_tokens_ - 1) / block_tokens_);
  }

  /// A block with one reference; there must be a free one.
  BlockId allocate();
  /// Another holder of a held block (a shared prefix).
  void retain(BlockId block);
  /// One holder less; the last one frees it.
  void release(BlockId block);
  int references(BlockId block) const { return references_[static_cast<std::size_t>(block)]; }

 private:
  int block_tokens_;
  std::vector<std::int32_t> references_;
  std::vector<BlockId> free_;
};

}  // namespace dspark
