#pragma once

#include <cstdint>
#include <vector>

#include "executor/model/target_model.h"
#include "executor/profile/profile_grid.h"
#include "kernels/kernels.h"

namespace dspark {

/// Times single steps of a target as the runner verifies: one packed forward pass with the logits of every
/// row, and the likeliest token of each; above temperature 0 their probabilities, and draws for each
/// request's rows, of which all but the first are drafts. The contexts are whatever the cache holds: their
/// values cost the same whatever they are.
class StepTimer {
 public:
  /// All outlive it. block_tokens: of the target's cache.
  StepTimer(Kernels& kernels, TargetModel& target, int block_tokens, float temperature = 0)
      : kernels_(kernels), target_(target), block_tokens_(block_tokens), temperature_(temperature) {}

  /// Passes of the target that one measurement takes.
  static constexpr int kPasses = 2;

  /// Seconds of one such step behind another of its kind, as steps are served: what the processor's caches
  /// keep of small models, it finds there. The cache has the point's blocks, and the target room for its rows
  /// and logits.
  double seconds(const ProfilePoint& point);

 private:
  void pack(const ProfilePoint& point);
  void choose(View<float, 2> logits);

  Kernels& kernels_;
  TargetModel& target_;
  int block_tokens_;
  float temperature_;
  std::vector<SamplingRule> rules_;
  std::vector<DrawKey> accept_keys_, final_keys_;
  std::vector<std::int32_t> drafts_, accepted_, next_token_;
  std::vector<std::int32_t> first_row_, first_position_, blocks_, tokens_, logit_rows_, largest_;
  std::size_t table_width_ = 0;
};

}  // namespace dspark
