#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "executor/drafter/draft_buffer.h"
#include "executor/drafter/drafter.h"
#include "executor/model/target_model.h"
#include "executor/runner/committed_step.h"
#include "executor/runner/forced_acceptance.h"
#include "executor/runner/packed_step.h"
#include "executor/runner/request_texts.h"
#include "executor/runner/round_acceptance.h"
#include "executor/runner/round_divergence.h"
#include "kernels/kernels.h"
#include "sim/engine/runner.h"
#include "sim/random/random_key.h"
#include "sim/recording/round_recorder.h"
#include "sim/step_recording.h"

namespace dspark {

/// What a verified round gave, for streaming and recording.
struct VerifiedRound {
  RequestId id = {};
  std::span<const std::int32_t> drafted = {};  // tokens submitted
  int accepted = 0;                            // of them
  std::int32_t next_token = 0;  // bonus or residual; or a reply's first token, where drafted is empty
  std::int32_t delivered = 0;  // tokens up to the reply's end, where it ends in this round; else accepted + 1
  bool ended = false;          // by a token that ends replies
};

class RoundListener {
 public:
  virtual ~RoundListener() = default;
  virtual void round_verified(const VerifiedRound& round) = 0;
};

struct ExecutorRunnerOptions {
  SamplingRule sampling = {};  // its temperature is the request's own
  std::vector<std::int32_t> end_tokens =
      {};  // any of them ends a reply; none: replies end where the workload says
  RoundListener* listener = nullptr;
  StepDurations* durations = nullptr;  // null: steps take what they take here
  /// Told of every round, with all signals; texts and outputs do not change by it. null: nobody asks.
  RoundRecorder* recorder = nullptr;
  /// Says how drafts fare, in the place of the models; its blocks are at least the drafter's. null: the
  /// models do, and replies are the target's.
  const AcceptanceModel* forced = nullptr;
};

/// The real machine's runner: a target model verifies what a drafter proposes, in one packed forward pass per
/// step, prompt rows included. Speculative sampling is exact (Leviathan 2023; Chen 2023): replies are
/// distributed as the target's own, and at temperature 0 they are the same tokens. Draws are keyed by
/// request, anchor position and attempt (DESIGN.md, Randomness), so that for given verification lengths a
/// reply depends neither on the requests beside it nor on threads. One object serves one replica whose
/// prompts are computed in its steps (Prefill::kInStep).
class ExecutorRunner final : public Runner {
 public:
  /// drafter: may be null; then nothing is drafted and the block size is 0. All must outlive the runner.
  ExecutorRunner(Kernels& kernels, TargetModel& target, Drafter* drafter, PromptSource& prompts,
                 RandomKey key, ExecutorRunnerOptions options);

  int block_size() const override { return drafter_ == nullptr ? 0 : drafter_->block_size(); }
  void entered(RequestId id, const RequestSpec& spec) override;
  void left(RequestId id, std::int32_t produced) override;
  DraftColumns draft(const RunnerRows& rows, std::span<const int> block_size,
                     const DraftRules& rules) override;
  Verified verify(const RunnerRows& rows, std::span<const int> submitted, const StepShape& shape) override;

 private:
  using Time = std::chrono::steady_clock::time_point;

  void list_draft_requests(const RunnerRows& rows, std::span<const int> block_size);
  template <class Record>
  static void outside_of(Time& begin, Record record);
  void accept_greedily(View<const float, 2> logits);
  void accept_by_sampling(View<float, 2> logits);
  void force_outcomes();
  View<const float, 2> submitted_distributions();
  void settle(const RunnerRows& rows);
  StepSeconds duration(std::span<const View<const float, 2>> kept);
  SamplingRule rule(float temperature) const;
  DrawKey draw_key(const PackedStep::Round& round, Stream stream, int offset) const;

  Kernels& kernels_;
  TargetModel& target_;
  Drafter* drafter_;
  RandomKey key_;
  ExecutorRunnerOptions options_;
  RequestTexts texts_;
  PackedStep step_;

  // The blocks of the step, in columns (DraftColumns).
  std::size_t stride_ = 0;
  std::vector<DraftRequest> requests_;
  std::vector<DrawKey> draft_keys_;
  std::vector<int> drafted_;
  std::vector<std::int32_t> draft_tokens_;
  std::vector<float> confidence_, top1_, margin_, entropy_, chosen_;

  // The step's rounds.
  DraftBuffer distributions_;                    // of the drafts submitted
  std::vector<SamplingRule> rules_;              // (logit rows)
  std::vector<std::int32_t> distribution_rows_;  // (submitted) rows of the drafter's distributions
  std::vector<DrawKey> accept_keys_, final_keys_;
  std::vector<std::int32_t> largest_;     // (logit rows)
  std::vector<std::int32_t> accepted_;    // (rounds)
  std::vector<std::int32_t> next_token_;  // (rounds)
  std::optional<ForcedAcceptance> forced_;
  RoundDivergence divergence_;
  RoundAcceptance acceptance_;
  bool asks_divergence_ = false;
  CommittedStep committed_;
  std::vector<int> accepted_by_row_;
  std::vector<std::int32_t> reply_end_;
  std::vector<std::uint8_t> first_token_ends_;
  bool drafted_this_step_ = false;
  double draft_seconds_ = 0;
  double overhead_seconds_ = 0;  // between drafting and verifying
  Time draft_end_ = {};
  Time verify_begin_ = {};
};

}  // namespace dspark
