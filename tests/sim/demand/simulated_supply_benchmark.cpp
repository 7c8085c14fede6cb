#include <benchmark/benchmark.h>

#include "sim/demand/supply/simulated_supply.h"
#include "tests/sim/demand/sampled_surface.h"

namespace dspark {
namespace {

/// One question to a simulated supply of 11 loads. Argument: SimulatedChips::Kind, and 3 for elastic chips
/// under re_optimise.
void ask_simulated_supply(benchmark::State& state) {
  const auto surface =
      testing::sampled_surface(testing::saturating(200, 90), testing::spread_loads(1, 512, 11));
  SimulatedChips chips;
  OperatingRule rule;
  if (state.range(0) == 3) {
    rule = {OperatingRule::Kind::kReOptimise, 0.005};
  } else {
    chips = {static_cast<SimulatedChips::Kind>(state.range(0)), 20};
  }
  const SimulatedSupply supply(surface, {4, 3, 300, 1000}, chips, {100, 80});
  ServedLoad load{30000, 50, 600, 300};
  for (auto _ : state) {
    load.tokens_per_second = load.tokens_per_second < 60000 ? load.tokens_per_second + 1 : 30000;
    benchmark::DoNotOptimize(supply.serve(load, rule));
  }
}
BENCHMARK(ask_simulated_supply)->DenseRange(0, 3);

}  // namespace
}  // namespace dspark
