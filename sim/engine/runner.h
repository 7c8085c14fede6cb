#pragma once

#include <cstdint>
#include <span>

#include "policies/calibration/confidence_calibration.h"
#include "policies/depth/depth_policy.h"
#include "sim/engine/request_table.h"

namespace dspark {

/// A request whose text is being computed in the steps: its prompt or, after a preemption, all of its text so
/// far.
struct PromptChunk {
  RequestId id = {};
  /// Of this step: the text's positions computed, computed + 1, ... of its LiveRequest. With the text's last
  /// row comes the reply's next token.
  std::int32_t rows = 0;
};

/// The requests of a step as a runner sees them: those that decode in columns, row r being row r of the
/// policy's `Step`, and those whose prompts are computed beside them.
struct RunnerRows {
  std::span<const RequestId> id = {};
  std::span<const std::uint32_t> source = {};
  std::span<const std::uint32_t> ordinal = {};
  std::span<const std::int32_t> anchor_position =
      {};                                      // position of the anchor token in the text, prompt included
  std::span<const std::int32_t> attempt = {};  // drafts made at this anchor before that committed nothing
  std::span<const std::int32_t> domain = {};
  std::span<const float> temperature = {};      // sampling temperature
  std::span<const std::int32_t> produced = {};  // output tokens so far, the anchor included
  std::span<const std::int32_t> round = {};     // rounds that the request has completed, preempted or not
  std::span<const PromptChunk> prompts = {};
  /// Texts and KV blocks, by id: for real machines. Of a decoding request only `spec` and `blocks` are
  /// current.
  const RequestTable* requests = nullptr;

  std::size_t size() const { return id.size(); }
};

/// What a step holds: its price is asked of this, never of a bare token count.
struct StepShape {
  int decode_requests = 0;
  int verified_tokens = 0;  // draft tokens submitted; the anchors come on top
  int prefill_rows = 0;
  int drafting_requests = 0;
  int draft_steps = 0;  // positions drafted: the largest block
  int asked_steps = 0;  // the largest block asked for: a rule that stops drafting may end it earlier
  bool chosen_after_drafting = false;  // the policy's `choose` ran
  bool drafter_loaded = true;
  std::span<const std::int32_t> context_tokens = {};  // (decode_requests) tokens before each anchor

  int rows() const { return decode_requests + verified_tokens + prefill_rows; }
};

/// Outcomes of a step, sealed until it ends.
struct Verified {
  std::span<const int> accepted = {};  // (decode_requests), 0..submitted
  std::span<const float> divergence =
      {};                    // KL(p_t || p_d) by position, columns as in DraftColumns; empty if not asked
  StepSeconds seconds = {};  // the step's duration, > 0 in all
  /// (decode_requests) tokens of this round up to the one that ends the reply, it included; kUnlimited where
  /// none does. Empty: replies end where the workload says, and nowhere else.
  std::span<const std::int32_t> reply_end = {};
  /// (prompts) 1 where the token that a text's last row gave ends the reply. Empty: as above.
  std::span<const std::uint8_t> first_token_ends = {};
};

/// How a step's blocks are drafted.
struct DraftRules {
  const DraftStop* stop = nullptr;  // where drafting ends token by token
  const ConfidenceCalibration* calibration =
      nullptr;                         // turns raw confidences into those that stop and policy see
  unsigned signals = kConfidenceOnly;  // SignalSet asked for
};

/// The machine under the engine: modelled (sim/hardware) or real (executor). A step calls `draft` and then
/// `verify`.
class Runner {
 public:
  virtual ~Runner() = default;
  /// γ: no block is larger.
  virtual int block_size() const = 0;

  /// A request enters the system; its id names it until it leaves with so many output tokens.
  virtual void entered(RequestId, const RequestSpec&) {}
  virtual void left(RequestId, std::int32_t produced) { static_cast<void>(produced); }

  /// Drafts `block_size[r]` tokens (0..γ) for each row, fewer where the stop or the drafter says so, with the
  /// signals asked for and calibrated confidences. The columns live until the next call.
  virtual DraftColumns draft(const RunnerRows& rows, std::span<const int> block_size,
                             const DraftRules& rules) = 0;
  /// Verifies the first `submitted[r]` draft tokens of each row, beside `shape.prefill_rows` prompt rows. How
  /// many tokens the engine commits, at most accepted + 1, shows in `produced` at the request's next step.
  virtual Verified verify(const RunnerRows& rows, std::span<const int> submitted, const StepShape& shape) = 0;
};

}  // namespace dspark
