#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "executor/drafter/drafter.h"
#include "executor/model/kv_cache.h"
#include "policies/depth/depth_policy.h"
#include "policies/error.h"
#include "sim/engine/kv_blocks.h"

namespace dspark {

/// The keys and values that a drafter keeps of its requests' texts, in blocks of its own: a drafter writes up
/// to γ positions past what the engine has reserved for the target. Requests whose prompts begin alike share
/// the blocks of their beginning. A request that finds no room is forgotten, and is not drafted for until its
/// text begins anew.
class DraftCache {
 public:
  /// Divides the engine's blocks, whatever their size: where these are shared, so are those.
  static constexpr std::size_t kBlockTokens = 8;

  /// For `tokens` positions of all requests together, rounded up to whole blocks. Errors: memory runs out.
  /// `kernels` outlives it.
  static Result<DraftCache> make(const ModelPlan& plan, std::size_t tokens, Kernels& kernels);

  const KvCache& kv() const { return kv_; }
  int free_blocks() const { return blocks_.free(); }

  /// Positions of a request's text that are kept: 0 .. length - 1.
  std::int32_t length(RequestId id) const;
  /// Keeps positions first .. first + count - 1, whose rows the caller stores next; what stood from `first`
  /// on is gone. Of a request of which nothing is kept, the positions before may be those of its shared
  /// prefix. False where they cannot be kept: positions before `first` are missing, or no block is free. Then
  /// nothing of the request is kept any more.
  bool extend(RequestId id, std::int32_t first, std::int32_t count, SharedPrefix shared);
  /// Makes room for positions length(id) .. end - 1, which are written and not kept (a block that is
  /// drafted). False where no block is free; then nothing has changed but for blocks that the request holds.
  bool reserve(RequestId id, std::int32_t end);
  /// Nothing is kept of the request.
  void forget(RequestId id);

  /// Rows of a step of these requests (RaggedRows), for all of which there is room. Stays until the next
  /// call; the three spans must stay too.
  RaggedRows rows(std::span<const RequestId> ids, std::span<const std::int32_t> first_row,
                  std::span<const std::int32_t> first_position);

 private:
  struct Kept {
    std::int32_t length = 0;
    std::vector<std::int32_t> blocks;
  };

  DraftCache(KvCache kv, std::size_t blocks, std::size_t block_tokens);
  Kept& kept(RequestId id);
  void begin_behind(Kept& request, std::int32_t first, SharedPrefix shared);

  KvCache kv_;
  KvBlocks blocks_;
  std::vector<Kept> kept_;                 // by id
  std::vector<std::int32_t> block_table_;  // (requests, widest)
};

}  // namespace dspark
