#pragma once

#include <cstdint>
#include <span>

namespace dspark {

/// One request that could take part in a step, oldest first.
struct BatchCandidate {
  bool decoding = false;         // false: its prompt is not finished
  std::int32_t wanted_rows = 0;  // decoding: 1 + planned draft tokens; prompt: tokens still to be computed
};

/// Divides the token budget of a step (`max_num_batched_tokens`) between replies and prompts.
/// KV blocks are the engine's affair: it cuts or preempts afterwards.
class BatchingPolicy {
 public:
  virtual ~BatchingPolicy() = default;
  /// rows[i]: rows granted to candidates[i], 0..wanted_rows; their sum is at most `budget`. A decoding
  /// request that is granted 1 row verifies no draft token.
  virtual void grant(std::span<const BatchCandidate> candidates, int budget,
                     std::span<std::int32_t> rows) const = 0;
};

}  // namespace dspark
