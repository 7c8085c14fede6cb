#pragma once

#include <cstdint>
#include <span>

#include "executor/drafter/drafter.h"

namespace dspark {

/// Chooses a request's draft tokens in the drafter's place, as it goes from position to position: recordings
/// draft what belongs to a text that is known already (executor/recording/dense_rounds.h).
class DraftChoice {
 public:
  virtual ~DraftChoice() = default;
  /// The token at draft position k (from 1), of positive probability. probabilities: host, (vocabulary), what
  /// the drafter draws from; drawn: what it drew.
  virtual std::int32_t choose(int k, std::span<const float> probabilities, std::int32_t drawn) = 0;
};

/// For drafters, once position k of these requests is drawn: puts the tokens of those that choose, and the
/// probabilities of these where they are asked for, in `blocks`. distributions: as Drafter::distributions,
/// with position k in it; greedy requests do not choose.
void choose_tokens(Kernels& kernels, std::span<const DraftRequest> requests, int k,
                   View<const float, 2> distributions, const DraftBlocks& blocks);

}  // namespace dspark
