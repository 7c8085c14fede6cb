#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "policies/depth/signals.h"
#include "sim/acceptance/text_field.h"
#include "sim/engine/runner.h"
#include "sim/random/random_key.h"

namespace dspark {

/// The blocks of one step with their outcomes, in columns as DraftColumns has them.
struct DraftedBlocks {
  std::size_t stride = 0;  // requests
  std::vector<float> confidence;
  std::vector<float> top1;
  std::vector<float> margin;
  std::vector<float> entropy;
  std::vector<float> chosen;
  std::vector<float> divergence;
  std::vector<int> accepted;  // (stride) leading positions accepted if all are verified
  TextWindows text;           // what a latent model remembers of its rows

  void resize(std::size_t requests, int depth, unsigned signals);
};

/// Says how drafts fare: for a block (request, anchor position, depth) it gives the signals and the outcomes
/// of its positions. Knows nothing of policies, time or load. Immutable, shared by threads.
class AcceptanceModel {
 public:
  virtual ~AcceptanceModel() = default;
  virtual int block_size() const = 0;
  /// Signals beside the confidence that it can give (a SignalSet).
  virtual unsigned signals() const { return kTop1 | kMargin | kEntropy | kChosen | kDivergence; }
  /// Fills positions 1..depth (<= γ) of `blocks` (resized) for every row. The same key and row give the same
  /// position k, whatever else is in the step and however deep it is.
  virtual void draw(RandomKey key, const RunnerRows& rows, int depth, unsigned signals,
                    DraftedBlocks& blocks) const = 0;
};

}  // namespace dspark
