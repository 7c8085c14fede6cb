#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace dspark {

enum class BlockId : std::int32_t {};

/// The paged KV cache's blocks, counted by reference: a block is free when nobody holds it. Blocks that hold
/// the beginning of a prefix may be kept: they are free, but what they hold stays until their place is
/// needed, the least recently held one's first.
class KvBlocks {
 public:
  KvBlocks(int blocks, int block_tokens);

  int block_tokens() const { return block_tokens_; }
  int total() const { return static_cast<int>(references_.size()); }
  /// Those that `allocate` can give, kept ones too.
  int free() const { return static_cast<int>(free_.size()) + idle_; }
  int used() const { return total() - free(); }
  int blocks_for(std::int64_t tokens) const {
    return static_cast<int>((tokens + block_tokens_ - 1) / block_tokens_);
  }

  /// A block with one reference; there must be a free one.
  BlockId allocate();
  /// Another holder of a block that is held or kept.
  void retain(BlockId block);
  /// One holder less; the last one frees it.
  void release(BlockId block);
  int references(BlockId block) const { return references_[index(block)]; }

  /// The blocks that are kept of this prefix, from its beginning.
  std::span<const BlockId> kept(std::uint32_t prefix) const;
  /// This held block holds what follows on those of the prefix: it is kept from now on.
  void keep(BlockId block, std::uint32_t prefix);

 private:
  static constexpr std::int32_t kNone = -1;

  static std::size_t index(BlockId block) { return static_cast<std::size_t>(block); }
  bool is_kept(std::size_t block) const { return !place_.empty() && place_[block] != kNone; }
  void push_idle(std::size_t block);
  void unlink_idle(std::size_t block);
  /// The place of the block that has been idle for longest is needed.
  void forget_oldest();

  int block_tokens_;
  std::vector<std::int32_t> references_;
  std::vector<BlockId> free_;

  // Of kept blocks; the columns are empty as long as none was kept.
  std::unordered_map<std::uint32_t, std::vector<BlockId>> prefixes_;
  std::vector<std::uint32_t> prefix_;        // (blocks)
  std::vector<std::int32_t> place_;          // (blocks) in the prefix; kNone: not kept
  std::vector<std::int32_t> older_, newer_;  // (blocks) a list of those that nobody holds
  std::int32_t oldest_ = kNone, newest_ = kNone;
  int idle_ = 0;
};

}  // namespace dspark
