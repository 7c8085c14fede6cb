#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "executor/drafter/ngram_drafter.h"
#include "executor/runner/executor_runner.h"
#include "executor/runner/given_requests.h"
#include "kernels/cpu/cpu_kernels.h"
#include "policies/batching/batching_policy_registry.h"
#include "policies/depth/depth_policy_registry.h"
#include "sim/simulation.h"
#include "tests/executor/runner/toy_model.h"
#include "tests/policies/depth/required_parameters.h"

namespace dspark::testing {

inline Kernels& f32_kernels() {
  static const CpuKernels cpu = [] {
    CpuOptions options;
    options.weight_type = ElementType::kF32;
    return make_cpu_kernels(options);
  }();
  EXPECT_NE(cpu.kernels, nullptr) << cpu.error;
  return *cpu.kernels;
}

/// Steps of one second: what is decided by durations is the same on every machine.
struct EqualDurations final : StepDurations {
  StepSeconds next(const StepSeconds&) override { return {.verify = 1}; }
};

/// Serves requests by the engine on a toy target and keeps what was said.
struct ServedTexts final : RoundListener, Watcher {
  ToyLanguage language;
  std::string policy = "none";
  Value policy_parameters = {};
  std::function<std::unique_ptr<DepthPolicy>()> own_policy;  // in its place
  std::string drafter = "none";                              // ngram or toy
  Kernels* own_kernels = nullptr;
  TargetModel* own_target = nullptr;  // in the toy's place
  Drafter* own_drafter = nullptr;     // in the place of these drafters
  bool chosen_confidence = false;  // the toy's confidence is that of the token it has drawn: it anticipates
  int block_size = 4;
  EngineOptions engine{.max_num_seqs = 16, .max_num_batched_tokens = 96, .kv_blocks = 256, .block_tokens = 4};
  Watcher* also_watching = nullptr;
  std::vector<std::int32_t> end_tokens;
  SamplingRule sampling = {};  // its temperature is each request's own
  ConfidenceCalibration* calibration = nullptr;
  RoundRecorder* recorder = nullptr;
  std::function<void(std::uint32_t ordinal, const VerifiedRound&)> on_round;  // told of each, where it is set
  std::uint64_t seed = 3;
  StepCost::Parts belief{.verify_affine = {.bias_seconds = 1, .seconds_per_token = 0.02}};

  std::vector<std::vector<std::int32_t>> replies;  // by ordinal
  int preemptions = 0;
  int rounds = 0;
  std::vector<std::vector<std::int32_t>> drafts;  // of each round that drafted
  std::vector<std::int32_t> accepted_drafts;      // of them
  std::int64_t submitted = 0;
  std::int64_t accepted = 0;
  std::size_t largest_batch = 0;

  void serve(std::vector<GivenRequest> given) {
    replies.assign(given.size(), {});
    Kernels& used_kernels = own_kernels != nullptr ? *own_kernels : f32_kernels();
    ToyTarget target(language, engine.kv_blocks, engine.block_tokens);
    NgramDrafter ngram({.block_size = block_size, .longest_match = 3, .shortest_match = 1});
    ToyDrafter toy(used_kernels, language, block_size, chosen_confidence);
    Drafter* used = own_drafter != nullptr ? own_drafter
                    : drafter == "ngram"   ? static_cast<Drafter*>(&ngram)
                    : drafter == "toy"     ? &toy
                                           : nullptr;
    GivenRequests requests(std::move(given));
    EqualDurations durations;
    const RandomKey key = make_random_key(seed, 0);
    ExecutorRunner runner(used_kernels, own_target != nullptr ? *own_target : target, used, requests, key,
                          {.sampling = sampling,
                           .end_tokens = end_tokens,
                           .listener = this,
                           .durations = &durations,
                           .recorder = recorder});
    Parameters parameters(policy_parameters);
    const auto depth = own_policy ? own_policy() : make_depth_policy(policy, parameters);
    ASSERT_NE(depth, nullptr);
    Parameters no_parameters{Value{}};
    const auto batching = make_batching_policy("decode_first", no_parameters);
    const StepCost step_cost(belief);
    SingleReplicaRouter router;
    Simulation simulation(key, requests, router, {});
    runner_engine_ = &simulation.add_replica(engine, *batching, *depth, step_cost, runner);
    if (calibration != nullptr) runner_engine_->calibrate(*calibration);
    simulation.watch(*this);
    if (also_watching != nullptr) simulation.watch(*also_watching);
    simulation.run([&] { return requests.all_done(); }, nullptr);
    EXPECT_EQ(requests.lost(), 0u);
    EXPECT_EQ(runner_engine_->kv().used(), 0);
    largest_batch = target.largest_batch;
  }

  void round_verified(const VerifiedRound& round) override {
    const LiveRequest& request = runner_engine_->requests()[round.id];
    std::vector<std::int32_t>& reply = replies[request.spec.ordinal];
    for (std::int32_t i = 0; i < round.delivered; ++i) {
      reply.push_back(i < round.accepted ? round.drafted[static_cast<std::size_t>(i)] : round.next_token);
    }
    // What passes the length limit is not delivered.
    reply.resize(std::min(reply.size(), static_cast<std::size_t>(request.spec.output_limit)));
    ++rounds;
    if (on_round) on_round(request.spec.ordinal, round);
    if (!round.drafted.empty()) {
      drafts.emplace_back(round.drafted.begin(), round.drafted.end());
      accepted_drafts.push_back(round.accepted);
    }
    submitted += static_cast<std::int64_t>(round.drafted.size());
    accepted += round.accepted;
  }
  void preempted(const RequestSpec&) override { ++preemptions; }

 private:
  Engine* runner_engine_ = nullptr;
};

/// Prompts of 1 .. 12 tokens, replies of up to `output_limit`.
inline std::vector<GivenRequest> some_requests(std::size_t count, std::int32_t output_limit,
                                               float temperature) {
  std::vector<GivenRequest> requests;
  for (std::size_t i = 0; i < count; ++i) {
    GivenRequest request{.output_limit = output_limit - static_cast<std::int32_t>(i % 3),
                         .temperature = temperature};
    for (std::size_t t = 0; t <= (5 * i) % 12; ++t) {
      request.prompt.push_back(static_cast<std::int32_t>((i + t * t) % 8));
    }
    requests.push_back(std::move(request));
  }
  return requests;
}

}  // namespace dspark::testing
