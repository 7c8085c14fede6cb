#include <benchmark/benchmark.h>

#include "sim/metrics/run_metrics.h"
#include "sim/simd/simd_target.h"
#include "tests/sim/small_system.h"

namespace dspark {
namespace {

/// The whole serving loop with all metrics on, γ 7, as many users as the argument says; an item is one
/// request in one step. Targets at 256: scripts/benchmark.
void serve_closed_loop(benchmark::State& state, const char* policy, const char* value,
                       SimdTarget target = simd_targets().back(), Prefill prefill = Prefill::kElsewhere) {
  use_simd_target(target);
  const auto users = static_cast<int>(state.range(0));
  std::int64_t request_steps = 0;
  for (auto _ : state) {
    testing::SmallSystem system;
    system.options = {.max_num_seqs = users,
                      .max_num_batched_tokens = 32 * users,
                      .kv_blocks = 256 * users,
                      .block_tokens = 64,
                      .prefill = prefill};
    system.domains = {{{1.8, 0.3, 0.3, 1.2, 1.2, 1.2, 1.2}, 1.4}};
    system.arrivals = testing::written_map({{"users", testing::written(std::to_string(users))}});
    const Value length = testing::written_map({{"fixed", testing::written("512")}});
    system.workload = testing::written_map({{"prompt_tokens", length}, {"output_tokens", length}});
    system.policy_name = policy;
    system.policy_value = value;
    system.build();
    RunMetrics metrics({.requests = 2 * users, .warmup_requests = 0}, {}, system.options.kv_blocks, 7);
    system.simulation->watch(metrics);
    system.simulation->run([&] { return metrics.done(); }, nullptr);
    request_steps += system.engine->steps() * users;
  }
  state.SetItemsProcessed(request_steps);
}
BENCHMARK_CAPTURE(serve_closed_loop, none, "none", "")
    ->Arg(16)
    ->Arg(256)
    ->Arg(4096)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(serve_closed_loop, fixed_7, "fixed", "7")
    ->Arg(16)
    ->Arg(256)
    ->Arg(4096)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(serve_closed_loop, dspark, "dspark", "")->Arg(256)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(serve_closed_loop, dspark_async, "dspark_async", "")
    ->Arg(16)
    ->Arg(256)
    ->Arg(4096)
    ->Unit(benchmark::kMillisecond);

/// Prompts in chunks in the same steps, which half of them have: rows are then granted by age.
BENCHMARK_CAPTURE(serve_closed_loop, none_in_step, "none", "", simd_targets().back(), Prefill::kInStep)
    ->Arg(256)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(serve_closed_loop, fixed_7_in_step, "fixed", "7", simd_targets().back(), Prefill::kInStep)
    ->Arg(256)
    ->Unit(benchmark::kMillisecond);

/// The slower instruction sets that this processor has too: fixed:7 at 256 users.
[[maybe_unused]] const bool kRegistered = [] {
  for (const SimdTarget target : simd_targets()) {
    benchmark::RegisterBenchmark(
        ("serve_closed_loop/fixed_7_" + std::string(name_of(target))).c_str(),
        [target](benchmark::State& state) { serve_closed_loop(state, "fixed", "7", target); })
        ->Arg(256)
        ->Unit(benchmark::kMillisecond);
  }
  return true;
}();

}  // namespace
}  // namespace dspark
