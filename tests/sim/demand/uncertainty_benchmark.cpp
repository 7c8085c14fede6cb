#include <benchmark/benchmark.h>

#include "sim/demand/rebound.h"
#include "sim/demand/uncertainty_study.h"
#include "tests/sim/demand/flow_market.h"

namespace dspark {
namespace {

Market two_segments() {
  Parameters parameters(
      testing::FlowReader(
          "{gain: 1.51, supply: {linear_cost: {tokens_per_gpu_second: 2000, user_speed: 80, "
          "dollars_per_gpu_hour: "
          "3}}, segments: {chat: {requests_per_second: 50, context_tokens: 1200, output_tokens: 300, volume: "
          "{constant_elasticity: {elasticity: 0.5}}}, agents: {requests_per_second: 2, context_tokens: "
          "20000, "
          "output_tokens: 1500, output_elasticity: 0.2, volume: {constant_elasticity: {elasticity: 1.1}}, "
          "new_applications: {willingness_to_pay: {lognormal: {median: 1, sigma: 1.5}}}}}}")
          .value());
  return read_market(parameters);
}

/// What a point of the sensitivity design costs once its market is read.
void solve_for_rebound(benchmark::State& state) {
  const Market market = two_segments();
  for (auto _ : state) benchmark::DoNotOptimize(market_outcome(market, false).values);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(solve_for_rebound);

/// What a draw costs, with surplus and break-even.
void solve_for_a_draw(benchmark::State& state) {
  const Market market = two_segments();
  for (auto _ : state) benchmark::DoNotOptimize(market_outcome(market, true).values);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(solve_for_a_draw);

/// The same market with all tables, as `dspark equilibrium` prints it.
void solve_with_tables(benchmark::State& state) {
  const Market market = two_segments();
  for (auto _ : state) benchmark::DoNotOptimize(study_rebound(market).tokens_ratio);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(solve_with_tables);

}  // namespace
}  // namespace dspark
