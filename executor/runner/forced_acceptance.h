#pragma once

#include <span>
#include <vector>

#include "executor/drafter/drafter.h"
#include "sim/acceptance/acceptance_model.h"
#include "sim/engine/runner.h"
#include "sim/random/random_key.h"

namespace dspark {

/// How drafts fare on a real machine whose own are not worth looking at: random weights, or an acceptance to
/// be tried. An acceptance model says what signals the drafts have and how many are accepted; target and
/// drafter compute what they would anyway, so that steps take their real time, and the text means nothing.
/// (vLLM's `synthetic` rejection and SGLang's SIMULATE_ACC_LEN force means; here whole rounds are forced,
/// with the confidences that policies see.)
class ForcedAcceptance {
 public:
  /// Its blocks are at least the drafter's. It outlives this.
  explicit ForcedAcceptance(const AcceptanceModel& model) : model_(model) {}

  /// Writes the signals over those of the drafter, where they were asked for. Every request drafted as many
  /// tokens as were planned: those that the drafter did not propose are token 0.
  void draft(RandomKey key, const RunnerRows& rows, std::span<const int> planned, const DraftBlocks& blocks);
  /// Of the drafts submitted by a decoding row of the step that drafted last.
  int accepted(std::size_t row, int submitted) const;

 private:
  const AcceptanceModel& model_;
  DraftedBlocks drawn_;
};

}  // namespace dspark
