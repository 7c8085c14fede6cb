#include <algorithm>

#include "policies/batching/batching_policy_registry.h"

namespace dspark {

/// Draft tokens of running replies first, oldest first; prompts take what is left of the token budget, in
/// chunks where it is short. The default of today's engines (vLLM V1 with chunked prefill): prompts wait
/// while many replies verify many draft tokens: where the budget hardly exceeds the replies' rows, prompts
/// starve (choose the budget with room for both).
///
///     engine: {batching: decode_first}
class DecodeFirst final : public BatchingPolicy {
 public:
  explicit DecodeFirst(Parameters&) {}

  void grant(std::span<const BatchCandidate> candidates, int budget,
             std::span<std::int32_t> rows) const override {
    for (const bool decoding : {true, false}) {
      for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (candidates[i].decoding != decoding) continue;
        rows[i] = std::min<std::int32_t>(candidates[i].wanted_rows, budget);
        budget -= rows[i];
      }
    }
  }
};

template std::unique_ptr<BatchingPolicy> construct_batching_policy<DecodeFirst>(Parameters&);

}  // namespace dspark
