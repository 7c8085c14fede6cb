#include <benchmark/benchmark.h>

#include <numeric>

#include "sim/acceptance/latent_acceptance.h"

namespace dspark {
namespace {

/// Blocks of γ 7 for a batch, confidences and outcomes: part of what scripts/benchmark
/// measures as `fixed:7`, which has the target.
void draw_blocks(benchmark::State& state) {
  const auto requests = static_cast<std::size_t>(state.range(0));
  const LatentAcceptance model({{{2, 1, 1, 1, 1, 0, 0}, 1.8}}, {}, {}, 0.7);
  std::vector<RequestId> id(requests);
  std::vector<std::uint32_t> source(requests), ordinal(requests);
  std::iota(source.begin(), source.end(), 0u);
  std::vector<std::int32_t> anchor(requests, 100), attempt(requests), domain(requests);
  DraftedBlocks blocks;
  for (auto _ : state) {
    model.draw({1, 2}, {id, source, ordinal, anchor, attempt, domain}, 7,
               static_cast<unsigned>(state.range(1)), blocks);
    benchmark::DoNotOptimize(blocks.accepted.data());
    for (std::size_t r = 0; r < requests; ++r) anchor[r] += blocks.accepted[r] + 1;
    if (anchor[0] > 100000) std::fill(anchor.begin(), anchor.end(), 100);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(draw_blocks)
    ->Args({1, kConfidenceOnly})
    ->Args({256, kConfidenceOnly})
    ->Args({256, kEntropy | kMargin | kTop1});

}  // namespace
}  // namespace dspark
