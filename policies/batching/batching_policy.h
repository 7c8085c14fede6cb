#pragma once

#include <cstdint>
#include <span>

namespace dspark {

/// One request that could take part in a step, oldest first. Every decoding request has a row for its anchor
/// already, so that no reply stalls; what is divided is the rest of the token budget.
struct BatchCandidate {
  bool decoding = false;         // false: its prompt is not finished
  std::int32_t wanted_rows = 0;  // decoding: planned draft tokens; prompt: tokens still to be computed
};

/// Divides what the anchors leave of a step's token budget (`max_num_batched_tokens`) between draft tokens
/// and prompts. KV blocks are the engine's affair: it cuts or preempts afterwards.
class BatchingPolicy {
 public:
  virtual ~BatchingPolicy() = default;
  /// rows[i]: rows granted to candidates[i], 0..wanted_rows; their sum is at most `budget`.
  virtual void grant(std::span<const BatchCandidate> candidates, int budget,
                     std::span<std::int32_t> rows) const = 0;
};

}  // namespace dspark
