#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "executor/drafter/block_drafter_config.h"
#include "executor/drafter/draft_buffer.h"
#include "executor/model/model_weights.h"
#include "kernels/kernels.h"

namespace dspark {

/// Lets each token of a block know the one before it: logits_k = U_k + W2 · m_k (DSpark, equations 5 and 6).
/// With e = W1[x_{k-1}] and h the hidden state, m_k is e (vanilla), σ(G[h; e] + b) ⊙ e (gated), or tanh(o) of
/// a recurrent state s_k = σ(g) ⊙ s_{k-1} + (1 - σ(g)) ⊙ tanh(c), where [g; c; o] = J[s_{k-1}; e; h] + b and
/// s_0 = 0 (rnn).
class MarkovHead {
 public:
  /// For at most `max_rows` blocks side by side. Nothing where memory runs out. `weights` and `kernels`
  /// outlive it.
  static std::optional<MarkovHead> make(const BlockDrafterConfig& config, std::size_t max_rows,
                                        const WeightSet& weights, Kernels& kernels);

  /// Blocks begin.
  void begin(std::size_t rows);
  /// The next position of the first `before.size()` blocks, whose tokens before it these are (host): gives
  /// (rows, rank) W1 of them, which stays until the next call.
  View<const float, 2> embed(std::span<const std::int32_t> before);
  /// Of the same position, behind `embed`: adds to `logits` (rows, drafted vocabulary) what it gives with
  /// `hidden` (rows, width); without logits only the state moves on.
  void add(View<const float, 2> hidden, View<float, 2> logits);

 private:
  MarkovHead(const BlockDrafterConfig& config, std::size_t max_rows, const WeightSet& weights,
             Kernels& kernels);
  View<const float, 2> gated(View<const float, 2> hidden);
  View<const float, 2> recurrent(View<const float, 2> hidden);
  View<float, 2> part(const DraftBuffer& joint, std::int32_t index, const DraftBuffer& to);

  MarkovHeadType type_;
  std::size_t rank_;
  const WeightSet* weights_;
  Kernels* kernels_;
  std::size_t rows_ = 0;  // of this position
  DraftBuffer embedding_, input_, joint_, state_, first_, second_, third_;
  std::vector<std::int32_t> places_;
};

}  // namespace dspark
