#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "executor/runner/executor_runner.h"
#include "policies/cost/step_cost.h"
#include "policies/depth/depth_policy.h"
#include "policies/error.h"

namespace dspark {

struct GenerationOptions {
  std::vector<std::int32_t> prompt;  // at least one token
  std::int32_t max_tokens = 256;     // of the reply, at least 1
  SamplingRule sampling = {};
  std::uint64_t seed = 0;
  std::vector<std::int32_t> end_tokens;  // any of them ends the reply and is its last token
  int max_batched_tokens = 512;          // rows of a step: prompts come in chunks of as many
  int block_tokens = 16;                 // of the KV cache
};

/// KV blocks that a reply of that many tokens needs at most.
int generation_kv_blocks(const GenerationOptions& options, int block_size);

/// One reply and what it took. Seconds are of the engine's clock, which the steps' measured durations move.
struct Generation {
  std::vector<std::int32_t> token_ids;
  bool ended = false;        // by an end token; else by max_tokens
  std::int64_t rounds = 0;   // verified; the prompt's steps are none
  std::int64_t drafted = 0;  // draft tokens in all
  std::int64_t verified = 0;
  std::int64_t accepted = 0;
  /// τ: tokens per round, over rounds that the reply's end did not cut (REFERENCE.md 7); none where all were
  /// cut.
  std::optional<double> accepted_length;
  double first_token_seconds = 0;
  double seconds = 0;
  StepSeconds parts;        // the same seconds by drafting, verifying (prompts too) and between
  double wall_seconds = 0;  // that the reply took: the engine's own work between the steps too

  /// User speed: (tokens - 1) / (last token's time - first token's time); none for one token.
  std::optional<double> tokens_per_second() const;
};

/// Serves one request by the serving engine, as a sweep would serve many. drafter: may be null. Without a
/// confidence head, confidences are learned from the margin (MarginEstimator). The target's cache holds at
/// least generation_kv_blocks of block_tokens. listener: told of each round, may be null. Errors: a policy
/// that asks for longer blocks than the drafter has, or for its divergence where it has none.
Result<Generation> generate(Kernels& kernels, TargetModel& target, Drafter* drafter, DepthPolicy& policy,
                            const StepCost& belief, const GenerationOptions& options,
                            RoundListener* listener);

/// What the engine's cost-aware policies believe of this machine: the seconds of a step by its rows, a
/// straight line through a decode step and one of block_size + 1 rows, each the median of `repeats` after a
/// warm-up. Writes to the first blocks of the target's cache.
StepCost measure_step_cost(TargetModel& target, int block_size, int block_tokens, int repeats);

}  // namespace dspark
