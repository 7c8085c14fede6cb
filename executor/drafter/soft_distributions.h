#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "executor/drafter/draft_buffer.h"
#include "kernels/kernels.h"

namespace dspark {

/// The rule of the signal `divergence`: the request's temperature, 1 where that is 0 (a greedy choice has no
/// distribution to compare), before top-k and the rest. That of Kernels::signals.
inline SamplingRule soft_rule(const SamplingRule& rule) {
  return {.temperature = rule.temperature > 0 ? rule.temperature : 1};
}

/// What a drafter would draw from by soft_rule, for each position of a step's blocks.
class SoftDistributions {
 public:
  /// A new step: `rows` = block_size · stride positions of `vocabulary` tokens, or none where nobody asked.
  /// False where memory runs out.
  bool begin(Kernels& kernels, bool asked, std::size_t rows, std::size_t vocabulary);
  bool asked() const { return !all_.empty(); }
  /// Keeps those of some positions. logits: (positions, draft vocabulary), left as they are. rules, rows:
  /// host, (positions); rows in the blocks' columns. columns: the target's ids of the draft vocabulary, or
  /// empty.
  void keep(Kernels& kernels, View<const float, 2> logits, std::span<const SamplingRule> rules,
            std::span<const std::int32_t> rows, std::span<const std::int32_t> columns);
  /// (rows, vocabulary); empty where nobody asked.
  View<const float, 2> all() const { return all_; }

 private:
  DraftBuffer buffer_, position_;
  View<float, 2> all_ = {};
  std::vector<SamplingRule> rules_;
};

}  // namespace dspark
