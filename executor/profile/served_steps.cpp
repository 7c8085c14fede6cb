#include "executor/profile/served_steps.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "executor/machine/prompt_texts.h"
#include "executor/runner/executor_runner.h"
#include "executor/runner/given_requests.h"
#include "policies/batching/batching_policy_registry.h"
#include "policies/depth/depth_policy_registry.h"
#include "policies/invariant.h"
#include "sim/simulation.h"

namespace dspark {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// A target that knows how long it was asked. To know how long the runner then looks for likeliest tokens it
/// does so itself, for nothing: once to have the logits as near as the runner finds them then, and once
/// timed.
class TimedTarget final : public TargetModel {
 public:
  TimedTarget(Kernels& kernels, TargetModel& target) : kernels_(kernels), target_(target) {}

  std::size_t vocab_size() const override { return target_.vocab_size(); }
  TargetOutput forward(const RaggedRows& rows, std::span<const std::int32_t> tokens,
                       std::span<const std::int32_t> logit_rows) override {
    const auto begin = Clock::now();
    const TargetOutput output = target_.forward(rows, tokens, logit_rows);
    forward_ = seconds_since(begin);
    largest_.resize(logit_rows.size());
    const auto ours = Clock::now();
    kernels_.largest(output.logits, largest_);
    const auto again = Clock::now();
    kernels_.largest(output.logits, largest_);
    search_ = seconds_since(again);
    ours_ = seconds_since(ours);
    return output;
  }
  /// Of a step's verification: what is neither this nor the runner's own search.
  double outside(double verify) const { return std::max(0.0, verify - forward_ - ours_ - search_); }
  /// Seconds that nobody but us asked for.
  double ours() const { return ours_; }

 private:
  Kernels& kernels_;
  TargetModel& target_;
  std::vector<std::int32_t> largest_;
  double forward_ = 0, search_ = 0, ours_ = 0;
};

/// Keeps the steps that the load asks for.
class StepCollector final : public StepDurations, public Watcher {
 public:
  StepCollector(const ServedLoad& load, const TimedTarget& target) : load_(load), target_(target) {}

  StepSeconds next(const StepSeconds& measured) override {
    last_ = {.draft = measured.draft,
             .verify = measured.verify - target_.ours(),
             .bare = target_.outside(measured.verify)};
    in_runner_ += measured.total();
    ++all_steps_;
    return measured;
  }
  void step_ended(const StepRecord& step) override {
    const bool whole = step.prefill_rows == 0 && step.decode_requests() == load_.requests &&
                       std::all_of(step.block_size.begin(), step.block_size.end(),
                                   [this](int planned) { return planned == load_.planned; });
    if (whole) steps_.push_back(last_);
  }

  bool has_enough() const { return static_cast<int>(steps_.size()) >= load_.steps; }
  ServedSteps result(double seconds) && {
    return {std::move(steps_), std::max(0.0, seconds - in_runner_) / std::max(1, all_steps_)};
  }

 private:
  const ServedLoad& load_;
  const TimedTarget& target_;
  ServedStep last_;
  std::vector<ServedStep> steps_;
  double in_runner_ = 0;
  int all_steps_ = 0;
};

/// Long enough for all steps to be whole if every draft is accepted.
int output_limit(const ServedLoad& load) { return (load.steps + 1) * (load.planned + 1) + 1; }

std::vector<GivenRequest> requests_of(const ServedLoad& load, std::size_t vocabulary, RandomKey key) {
  RandomPrompts prompts(static_cast<std::int32_t>(vocabulary), key);
  std::vector<GivenRequest> requests;
  for (int i = 0; i < load.requests; ++i) {
    requests.push_back({.prompt = prompts.prompt(
                            {.ordinal = static_cast<std::uint32_t>(i), .prompt_tokens = load.prompt_tokens}),
                        .output_limit = output_limit(load),
                        .temperature = load.temperature});
  }
  return requests;
}

}  // namespace

int served_blocks(const ServedLoad& load) {
  const int longest = load.prompt_tokens + output_limit(load) + load.planned + 1;
  return load.requests * ((longest + load.block_tokens - 1) / load.block_tokens);
}

ServedSteps serve_steps(Kernels& kernels, TargetModel& target, Drafter* drafter, const ServedLoad& load) {
  DSPARK_INVARIANT(served_blocks(load) <= load.kv_blocks);
  DSPARK_INVARIANT(load.requests * (1 + load.planned) <= load.max_rows);
  const RandomKey key = make_random_key(/*seed=*/0, /*replication=*/0);
  TimedTarget timed(kernels, target);
  StepCollector collector(load, timed);
  GivenRequests source(requests_of(load, target.vocab_size(), key));
  ExecutorRunner runner(kernels, timed, drafter, source, key, {.durations = &collector});
  Parameters depth({}, {}, Value{std::to_string(load.planned)});
  const auto policy = make_depth_policy("fixed", depth);
  const StepCost belief({.verify_affine = {.bias_seconds = 1, .seconds_per_token = 1}});
  Parameters defaults{Value{}};
  const auto batching = make_batching_policy("decode_first", defaults);
  SingleReplicaRouter router;
  Simulation simulation(key, source, router, {});
  simulation.add_replica({.max_num_seqs = load.requests,
                          .max_num_batched_tokens = load.max_rows,
                          .kv_blocks = load.kv_blocks,
                          .block_tokens = load.block_tokens,
                          .prefill = Prefill::kInStep},
                         *batching, *policy, belief, runner);
  simulation.watch(collector);
  const auto begin = Clock::now();
  simulation.run([&] { return collector.has_enough() || source.all_done(); }, nullptr);
  const double seconds = seconds_since(begin);
  if (drafter != nullptr) {
    for (int id = 0; id < load.requests; ++id) drafter->left(RequestId{id});
  }
  return std::move(collector).result(seconds);
}

}  // namespace dspark
