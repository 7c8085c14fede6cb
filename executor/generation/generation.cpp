#include "executor/generation/generation.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "executor/drafter/drafter_choice.h"
#include "executor/runner/given_requests.h"
#include "policies/batching/batching_policy_registry.h"
#include "policies/invariant.h"
#include "sim/simulation.h"

namespace dspark {
namespace {

/// Sums the parts of the steps' durations.
class MeasuredParts final : public StepDurations {
 public:
  explicit MeasuredParts(StepSeconds& parts) : parts_(parts) {}
  StepSeconds next(const StepSeconds& measured) override {
    parts_.draft += measured.draft;
    parts_.verify += measured.verify;
    parts_.overhead += measured.overhead;
    return measured;
  }

 private:
  StepSeconds& parts_;
};

/// Keeps the reply as the engine delivers it.
class Reply final : public RoundListener, public Watcher {
 public:
  Reply(const GenerationOptions& options, RoundListener* next, Generation& result)
      : options_(options), next_(next), result_(result) {}

  void round_verified(const VerifiedRound& round) override {
    VerifiedRound delivered = round;
    const auto left = options_.max_tokens - static_cast<std::int32_t>(result_.token_ids.size());
    delivered.delivered = std::min(round.delivered, left);
    delivered.ended = round.ended && delivered.delivered == round.delivered;
    for (std::int32_t i = 0; i < delivered.delivered; ++i) {
      result_.token_ids.push_back(i < round.accepted ? round.drafted[static_cast<std::size_t>(i)]
                                                     : round.next_token);
    }
    result_.ended = delivered.ended;
    if (next_ != nullptr) next_->round_verified(delivered);
  }
  void step_ended(const StepRecord& step) override {
    for (std::size_t r = 0; r < step.verified.size(); ++r) {
      ++result_.rounds;
      result_.drafted += step.drafted[r];
      result_.verified += step.verified[r];
      result_.accepted += step.accepted[r];
      if (step.cut[r] != 0) continue;
      ++whole_rounds_;
      whole_tokens_ += step.accepted[r] + 1;
    }
  }
  void finished(const FinishedRequest& request) override {
    result_.first_token_seconds = to_seconds(request.first_token);
    result_.seconds = to_seconds(request.last_token);
    if (whole_rounds_ > 0) {
      result_.accepted_length = static_cast<double>(whole_tokens_) / static_cast<double>(whole_rounds_);
    }
  }

 private:
  const GenerationOptions& options_;
  RoundListener* next_;
  Generation& result_;
  std::int64_t whole_rounds_ = 0;
  std::int64_t whole_tokens_ = 0;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Seconds of a step of so many rows of one request at the beginning of its text.
double step_seconds(TargetModel& target, int rows, int block_tokens, int repeats) {
  std::vector<std::int32_t> blocks(static_cast<std::size_t>((rows + block_tokens - 1) / block_tokens));
  std::iota(blocks.begin(), blocks.end(), 0);
  std::vector<std::int32_t> logit_rows(static_cast<std::size_t>(rows));
  std::iota(logit_rows.begin(), logit_rows.end(), 0);
  const std::vector<std::int32_t> tokens(logit_rows.size(), 0), first_row = {0, rows}, first_position = {0};
  const RaggedRows ragged{.first_row = first_row,
                          .first_position = first_position,
                          .block_table = {blocks.data(), {1, blocks.size()}}};
  std::vector<double> seconds;
  for (int i = 0; i <= repeats; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    target.forward(ragged, tokens, logit_rows);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    if (i > 0) seconds.push_back(taken.count());  // the first one warms up
  }
  return median(seconds);
}

}  // namespace

int generation_kv_blocks(const GenerationOptions& options, int block_size) {
  const auto longest = static_cast<std::int64_t>(options.prompt.size()) + options.max_tokens + block_size + 1;
  return static_cast<int>((longest + options.block_tokens - 1) / options.block_tokens);
}

std::optional<double> Generation::tokens_per_second() const {
  if (token_ids.size() < 2 || seconds <= first_token_seconds) return std::nullopt;
  return static_cast<double>(token_ids.size() - 1) / (seconds - first_token_seconds);
}

Result<Generation> generate(Kernels& kernels, TargetModel& target, Drafter* drafter, DepthPolicy& policy,
                            const StepCost& belief, const GenerationOptions& options,
                            RoundListener* listener) {
  const int block_size = drafter == nullptr ? 0 : drafter->block_size();
  if (policy.traits().deepest > block_size) {
    return Error{fmt::format("the policy asks for {} draft tokens, the drafter's largest block has {}",
                             policy.traits().deepest, block_size)};
  }
  if ((policy.traits().signals & kDivergence) != 0 &&
      (drafter == nullptr || !drafter->has_soft_distributions())) {
    return Error{"the policy reads the divergence, which the drafter does not have"};
  }
  Generation result;
  Reply reply(options, listener, result);
  MeasuredParts durations(result.parts);
  GivenRequests request({{.prompt = options.prompt,
                          .output_limit = options.max_tokens,
                          .temperature = options.sampling.temperature}});
  const RandomKey key = make_random_key(options.seed, 0);
  ExecutorRunner runner(kernels, target, drafter, request, key,
                        {.sampling = options.sampling,
                         .end_tokens = options.end_tokens,
                         .listener = &reply,
                         .durations = &durations});
  Parameters defaults{Value{}};
  const auto batching = make_batching_policy("decode_first", defaults);
  SingleReplicaRouter router;
  Simulation simulation(key, request, router, {});
  Engine& engine = simulation.add_replica({.max_num_seqs = 1,
                                           .max_num_batched_tokens = options.max_batched_tokens,
                                           .kv_blocks = generation_kv_blocks(options, block_size),
                                           .block_tokens = options.block_tokens,
                                           .prefill = Prefill::kInStep},
                                          *batching, policy, belief, runner);
  const auto calibration = calibration_for(drafter);
  if (calibration) engine.calibrate(*calibration);
  simulation.watch(reply);
  const auto begin = std::chrono::steady_clock::now();
  simulation.run([&] { return request.all_done(); }, nullptr);
  result.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  DSPARK_INVARIANT(request.finished() == 1);
  return result;
}

StepCost measure_step_cost(TargetModel& target, int block_size, int block_tokens, int repeats) {
  const double one = step_seconds(target, 1, block_tokens, repeats);
  const int rows = block_size + 1;
  const double many = block_size == 0 ? one : step_seconds(target, rows, block_tokens, repeats);
  const double slope = block_size == 0 ? 0 : std::max(0.0, (many - one) / block_size);
  return StepCost(
      {.verify_affine = {.bias_seconds = std::max(one - slope, 1e-9), .seconds_per_token = slope}});
}

}  // namespace dspark
