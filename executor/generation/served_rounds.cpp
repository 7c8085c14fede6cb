#include "executor/generation/served_rounds.h"

#include <fmt/format.h>

#include <atomic>

#include "executor/runner/executor_runner.h"
#include "policies/batching/batching_policy_registry.h"
#include "policies/depth/depth_policy_registry.h"
#include "sim/recording/round_recorder.h"
#include "sim/simulation.h"

namespace dspark {
namespace {

/// Counts replies.
class FinishedReplies final : public Watcher {
 public:
  FinishedReplies(const ServedRoundsOptions& options, std::atomic<bool>& cancelled)
      : options_(options), cancelled_(cancelled) {}
  void finished(const FinishedRequest&) override {
    ++count_;
    if (options_.progress && !options_.progress(count_)) cancelled_ = true;
  }

 private:
  const ServedRoundsOptions& options_;
  std::atomic<bool>& cancelled_;
  std::size_t count_ = 0;
};

}  // namespace

Result<RunRecording> served_rounds(Kernels& kernels, TargetModel& target, Drafter& drafter,
                                   std::vector<GivenRequest> requests, const ServedRoundsOptions& options) {
  GivenRequests given(std::move(requests));
  RoundRecorder recorder(options.domains);
  const RandomKey key = make_random_key(options.seed, 0);
  ExecutorRunner runner(
      kernels, target, &drafter, given, key,
      {.sampling = options.sampling, .end_tokens = options.end_tokens, .recorder = &recorder});
  Parameters depth({}, {}, Value{std::to_string(drafter.block_size())});
  const auto policy = make_depth_policy("fixed", depth);
  Parameters defaults{Value{}};
  const auto batching = make_batching_policy("decode_first", defaults);
  const StepCost belief({.verify_affine = {.bias_seconds = 1, .seconds_per_token = 1}});  // nobody reads it
  SingleReplicaRouter router;
  Simulation simulation(key, given, router, {});
  simulation.add_replica({.max_num_seqs = options.max_num_seqs,
                          .max_num_batched_tokens = options.max_num_batched_tokens,
                          .kv_blocks = options.kv_blocks,
                          .block_tokens = options.block_tokens,
                          .prefill = Prefill::kInStep},
                         *batching, *policy, belief, runner);
  std::atomic<bool> cancelled = false;
  FinishedReplies replies(options, cancelled);
  simulation.watch(replies);
  simulation.run([&] { return given.all_done(); }, &cancelled);
  if (cancelled) return Error{"interrupted"};
  if (given.lost() > 0) {
    return Error{fmt::format("{} requests do not fit into {} KV blocks of {} tokens", given.lost(),
                             options.kv_blocks, options.block_tokens)};
  }
  return recorder.take();
}

}  // namespace dspark
