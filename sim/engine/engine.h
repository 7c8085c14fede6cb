#pragma once

#include <array>
#include <deque>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "policies/batching/batching_policy.h"
#include "policies/depth/depth_policy.h"
#include "policies/depth/owned_frontier.h"
#include "policies/depth/survival_history.h"
#include "sim/engine/decode_rows.h"
#include "sim/engine/kv_blocks.h"
#include "sim/engine/request_table.h"
#include "sim/engine/runner.h"
#include "sim/engine/watcher.h"

namespace dspark {

/// Where prompts are computed.
enum class Prefill {
  kInStep,     // in the same steps as decoding, in chunks under the token budget
  kElsewhere,  // on other machines at a price of their own; the reply joins with its first token and its KV
};

struct EngineOptions {
  int max_num_seqs = 256;
  int max_num_batched_tokens = 8192;  // >= max_num_seqs, so that every running reply has a row
  int kv_blocks = 65536;
  int block_tokens = 64;
  Prefill prefill = Prefill::kInStep;
  /// Prompts that begin alike compute their beginning once, as long as its KV blocks are kept (kInStep).
  bool prefix_caching = true;
  /// Verify everything drafted and commit only what the policy admitted (SGLang's cap-accept mode): the
  /// policy's loss in accepted tokens without its gain in compute.
  bool cap_accept = false;
  double ttft_objective_seconds = 0;  // for policies that look at them; 0: none
  double tpot_objective_seconds = 0;
};

/// What the engine needs from the world around it.
class EngineHost {
 public:
  virtual ~EngineHost() = default;
  /// Compute `tokens` of this request elsewhere; `Engine::prefill_done` is called when that is done.
  virtual void prefill_elsewhere(RequestId id, int tokens) = 0;
  virtual void request_finished(const RequestSpec& spec) = 0;
};

/// The serving engine: continuous batching by iteration, one step at a time, paged KV, chunked prefill, first
/// come first served, preemption by recompute. The same loop serves modelled and real runners (DESIGN.md).
///
/// A step begins (plan, batch, draft, choose, verify) and ends its duration later (observe, deliver, free).
/// Admission never deadlocks: a request enters only if its whole text fits into free blocks, every request
/// fits alone
/// (`fits`), speculative rows never preempt anyone, and the oldest request is never preempted for a younger
/// one.
class Engine {
 public:
  Engine(const EngineOptions& options, const BatchingPolicy& batching, DepthPolicy& policy,
         const StepCost& belief, Runner& runner, EngineHost& host, CoinStream& coins);
  void watch(Watcher& watcher) { watchers_.push_back(&watcher); }
  /// Policies see what this makes of the drafter's confidences, from the next step on.
  void calibrate(ConfidenceCalibration& calibration) { calibration_ = &calibration; }

  /// True where the request, served alone, fits into the KV cache to its end.
  bool fits(const RequestSpec& spec) const;
  /// A request that fits arrives.
  void submit(const RequestSpec& spec);
  void prefill_done(RequestId id, VirtualTime now);

  bool step_in_progress() const { return in_progress_; }
  /// Something waits or runs that a step could serve.
  bool has_work() const { return !waiting_.empty() || rows_.size() > 0 || !prefilling_.empty(); }

  /// Begins a step; returns its seconds, or nothing where there is nothing to run.
  std::optional<double> begin_step(VirtualTime now);
  void end_step(VirtualTime now);
  /// What the step in progress decided, for the trace digest: rows, prompt rows, tokens verified and
  /// accepted.
  std::array<std::int64_t, 4> step_trace() const;

  // For laws and metrics.
  const KvBlocks& kv() const { return kv_; }
  const RequestTable& requests() const { return requests_; }
  std::size_t waiting() const { return waiting_.size(); }
  std::size_t running() const { return rows_.size() + prefilling_.size(); }
  std::int64_t steps() const { return step_; }
  /// Blocks held by any request, counted anew; equals kv().used().
  int count_held_blocks() const;

 private:
  // engine.cpp: the step
  void plan();
  void grant_rows();
  void draft_and_choose();
  void settle_rounds();
  void observe();
  void deliver_after_prefill(LiveRequest& request, VirtualTime now);
  void finish_prefills(VirtualTime now);
  void retire_finished(VirtualTime now);
  SystemView system_view() const;
  Step policy_step() const;
  StepShape shape() const;
  RunnerRows runner_rows() const;

  // engine_memory.cpp: who holds KV blocks
  void enqueue(RequestId id);
  void admit();
  int shareable_blocks(const RequestSpec& spec) const;
  bool is_computing_prefix(const RequestSpec& spec) const;
  void keep_prefix(const LiveRequest& request);
  void reserve();
  bool reserve_or_count_deficit(int& deficit);
  void preempt_youngest();
  void return_rejected_blocks();
  void grow(std::vector<BlockId>& blocks, std::int32_t tokens);
  void shrink(std::vector<BlockId>& blocks, std::int32_t tokens);
  void finish(RequestId id, VirtualTime now);

  EngineOptions options_;
  const BatchingPolicy& batching_;
  DepthPolicy& policy_;
  PolicyTraits traits_;
  const StepCost& belief_;
  Runner& runner_;
  EngineHost& host_;
  CoinStream& coins_;
  std::vector<Watcher*> watchers_;
  ConfidenceCalibration* calibration_ = nullptr;

  KvBlocks kv_;
  RequestTable requests_;
  std::uint64_t next_sequence_ = 0;
  std::deque<RequestId> waiting_;  // by sequence
  std::vector<PromptChunk> prefilling_;
  DecodeRows rows_;

  // The step in progress.
  bool in_progress_ = false;
  std::int64_t step_ = 0;
  VirtualTime step_begin_ = 0;
  int waiting_at_begin_ = 0;
  bool choose_after_drafting_ = false;
  bool chose_ = false;
  int prefill_rows_ = 0;
  double draft_and_overhead_seconds_ = 0;
  DraftColumns drafts_;
  OwnedFrontier frontier_;
  SurvivalHistory history_;
  Verified verified_;
  std::vector<int> drafted_;            // (rows)
  std::vector<int> submitted_;          // (rows) what the policy admitted
  std::vector<int> accepted_;           // (rows) of these
  int draft_rows_ = 0;                  // draft tokens that the target computes
  std::vector<std::uint32_t> lacking_;  // rows that need more KV blocks
  std::vector<std::int32_t> left_;      // (rows) output tokens until the reply's end
  std::vector<std::int32_t> delivered_;
  std::vector<std::uint8_t> cut_;
  std::vector<std::uint8_t> finished_;
  int finishing_ = 0;  // rows that the step finishes
  std::vector<VirtualTime> previous_delivery_;
  /// Order of arrival, and which: row, or number of rows + prompt.
  std::vector<std::pair<std::uint64_t, std::size_t>> oldest_first_;
  std::vector<BatchCandidate> candidates_;
  std::vector<std::int32_t> granted_;
};

}  // namespace dspark
