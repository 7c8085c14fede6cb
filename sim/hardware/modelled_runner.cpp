#include "sim/hardware/modelled_runner.h"

#include <algorithm>

#include "policies/elementary.h"
#include "policies/invariant.h"
#include "sim/random/variates.h"

namespace dspark {
namespace {

/// Of all rows of a step: anchors, submitted drafts and prompt rows.
double attended_tokens(const RunnerRows& rows, std::span<const int> submitted) {
  double sum = 0;
  for (std::size_t r = 0; r < rows.size(); ++r)
    sum += dspark::attended_tokens(rows.anchor_position[r], 1 + submitted[r]);
  for (const PromptChunk& prompt : rows.prompts)
    sum += dspark::attended_tokens((*rows.requests)[prompt.id].computed, prompt.rows);
  return sum;
}

/// Lognormal with mean 1, by the number of the step: all of it takes longer or less long.
void disturb(StepSeconds& seconds, double sigma, VariateKey key, std::uint64_t step) {
  key.source = static_cast<std::uint32_t>(step >> 32);
  key.ordinal = static_cast<std::uint32_t>(step);
  const double factor = exp_portable(sigma * normal_variate(key) - 0.5 * sigma * sigma);
  seconds.draft *= factor;
  seconds.verify *= factor;
  seconds.overhead *= factor;
}

}  // namespace

DraftColumns ModelledRunner::draft(const RunnerRows& rows, std::span<const int> block_size,
                                   const DraftRules& rules) {
  const int depth = block_size.empty() ? 0 : *std::max_element(block_size.begin(), block_size.end());
  DSPARK_INVARIANT(depth >= 1 && depth <= acceptance_.block_size());
  acceptance_.draw(key_, rows, depth, rules.signals, blocks_);
  drafted_.assign(block_size.begin(), block_size.end());
  DraftColumns columns{.stride = blocks_.stride,
                       .drafted = drafted_,
                       .confidence = blocks_.confidence,
                       .top1 = blocks_.top1,
                       .margin = blocks_.margin,
                       .entropy = blocks_.entropy,
                       .chosen = blocks_.chosen,
                       .accepted_if_verified = blocks_.accepted};
  if (rules.calibration != nullptr) rules.calibration->apply(columns, depth, blocks_.confidence);
  if (rules.stop != nullptr) {
    for (std::size_t r = 0; r < drafted_.size(); ++r) {
      drafted_[r] = drafted_until_stop(*rules.stop, columns, static_cast<int>(r), drafted_[r]);
    }
  }
  for (std::size_t r = 0; r < drafted_.size(); ++r)
    blocks_.accepted[r] = std::min(blocks_.accepted[r], drafted_[r]);
  return columns;
}

Verified ModelledRunner::verify(const RunnerRows& rows, std::span<const int> submitted,
                                const StepShape& shape) {
  accepted_.assign(rows.size(), 0);
  if (shape.verified_tokens > 0) {
    for (std::size_t r = 0; r < accepted_.size(); ++r)
      accepted_[r] = std::min(submitted[r], blocks_.accepted[r]);
  }
  const double attended = cost_.has_terms() ? attended_tokens(rows, submitted) : 0;
  StepSeconds taken = seconds(shape, attended);
  if (step_noise_ > 0) disturb(taken, step_noise_, {key_, Stream::kStepNoise}, steps_++);
  return {.accepted = accepted_, .divergence = blocks_.divergence, .seconds = taken};
}

StepSeconds ModelledRunner::seconds(const StepShape& shape, double attended_tokens) const {
  double verify = cost_.verify_seconds(shape.decode_requests, shape.rows()) +
                  cost_.terms_seconds(shape.decode_requests, attended_tokens);
  if (shape.drafter_loaded && shape.drafting_requests == 0) verify *= 1 + cost_.parts().idle_drafter_tax;
  // Where a rule stops drafting after some tokens, a block drafter has passed its block already.
  const bool whole = !cost_.parts().sequential_drafter && shape.draft_steps > 0;
  const int steps = whole ? std::max(shape.draft_steps, shape.asked_steps) : shape.draft_steps;
  return {.draft = cost_.draft_seconds(shape.drafting_requests, steps),
          .verify = verify,
          .overhead = cost_.overhead_seconds(shape.chosen_after_drafting)};
}

}  // namespace dspark
