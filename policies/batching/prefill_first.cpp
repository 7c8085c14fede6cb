#include <algorithm>

#include "policies/batching/batching_policy_registry.h"

namespace dspark {

/// Prompts first, oldest first; draft tokens of running replies take what is left of the token budget.
/// Shortest time to the first token, at the price of replies that go on without speculation while prompts are
/// read (after vLLM's order before chunked prefill, where they stalled; here every reply keeps its anchor's
/// row).
///
///     engine: {batching: prefill_first}
class PrefillFirst final : public BatchingPolicy {
 public:
  explicit PrefillFirst(Parameters&) {}

  void grant(std::span<const BatchCandidate> candidates, int budget,
             std::span<std::int32_t> rows) const override {
    for (const bool decoding : {false, true}) {
      for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (candidates[i].decoding != decoding) continue;
        rows[i] = std::min<std::int32_t>(candidates[i].wanted_rows, budget);
        budget -= rows[i];
      }
    }
  }
};

template std::unique_ptr<BatchingPolicy> construct_batching_policy<PrefillFirst>(Parameters&);

}  // namespace dspark
