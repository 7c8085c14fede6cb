#include <benchmark/benchmark.h>

#include "sim/metrics/run_metrics.h"
#include "tests/sim/small_system.h"

namespace dspark {
namespace {

/// The whole serving loop with all metrics on, 256 users, γ 7; an item is one request in one step.
/// Target: >= 50 M items/s without speculation, >= 5 M with fixed:7, >= 4 M with dspark_async.
void serve_closed_loop(benchmark::State& state, const char* policy, const char* value) {
  std::int64_t request_steps = 0;
  for (auto _ : state) {
    testing::SmallSystem system;
    system.options = {.max_num_seqs = 256,
                      .max_num_batched_tokens = 8192,
                      .kv_blocks = 65536,
                      .block_tokens = 64,
                      .prefill = Prefill::kElsewhere};
    system.domains = {{{1.8, 0.3, 0.3, 1.2, 1.2, 1.2, 1.2}, 1.4}};
    system.arrivals = testing::written_map({{"users", testing::written("256")}});
    const Value length = testing::written_map({{"fixed", testing::written("512")}});
    system.workload = testing::written_map({{"prompt_tokens", length}, {"output_tokens", length}});
    system.policy_name = policy;
    system.policy_value = value;
    system.build();
    RunMetrics metrics({.requests = 512, .warmup_requests = 0}, {}, system.options.kv_blocks, 7);
    system.simulation->watch(metrics);
    system.simulation->run([&] { return metrics.done(); }, nullptr);
    request_steps += system.engine->steps() * 256;
  }
  state.SetItemsProcessed(request_steps);
}
BENCHMARK_CAPTURE(serve_closed_loop, none, "none", "")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(serve_closed_loop, fixed_7, "fixed", "7")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(serve_closed_loop, dspark, "dspark", "")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(serve_closed_loop, dspark_async, "dspark_async", "")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace dspark
