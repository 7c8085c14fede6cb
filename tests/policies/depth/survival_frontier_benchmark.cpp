// One decision at 256 requests × γ 7, frontier set up included. Targets: scripts/benchmark.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "policies/depth/depth_policy_registry.h"
#include "policies/depth/owned_frontier.h"

namespace dspark {
namespace {

constexpr int kRequests = 256;
constexpr int kBlockSize = 7;

struct Steps {
  static constexpr std::size_t kCount = 16;  // different steps, so that no branch is learnt by heart

  Steps()
      : cost({.verify_table = *CostTable::make(
                  {{64, .01}, {128, .011}, {256, .0125}, {512, .016}, {1024, .023}, {2048, .045}}, {},
                  "verify")}) {
    std::mt19937 coins(7);
    constexpr std::size_t kCells = std::size_t{kRequests} * kBlockSize;
    for (auto& column : confidence) {
      column.resize(kCells);
      for (float& c : column) c = 0.3f + 0.7f * static_cast<float>(coins() % 10007) / 10007.0f;
    }
    for (int r = 0; r < kRequests; ++r) ids.push_back(RequestId{r});
  }

  DraftColumns columns(std::size_t i) const {
    DraftColumns columns;
    columns.stride = kRequests;
    columns.drafted = full;
    columns.confidence = confidence[i % kCount];
    return columns;
  }
  Step view() const {
    Step step;
    step.request = {ids, rounds, rounds, rounds, full};
    step.planned = full;
    step.cost = &cost;
    step.draft_and_overhead_seconds = 0.002;
    step.history = history;
    return step;
  }

  StepCost cost;
  std::vector<float> confidence[kCount];
  std::vector<RequestId> ids;
  std::vector<std::int32_t> rounds = std::vector<std::int32_t>(kRequests, 100);
  std::vector<std::int32_t> full = std::vector<std::int32_t>(kRequests, kBlockSize);
  std::vector<EarlierStep> history;
};

void decide(benchmark::State& state, const char* name) {
  Parameters parameters{Value{}};
  const auto policy = make_depth_policy(name, parameters);
  Steps steps;
  OwnedFrontier earlier;
  earlier.reset(steps.columns(3));
  steps.history.assign(2, {kRequests, earlier.sorted_survivals_for_history(), {}, {}});
  const Step step = steps.view();
  OwnedFrontier frontier;
  std::size_t i = 0;
  double admitted = 0;
  for (auto _ : state) {
    frontier.reset(steps.columns(i++));
    policy->choose(step, frontier);
    admitted += frontier.total_admitted();
    benchmark::DoNotOptimize(frontier.admitted().data());
  }
  state.counters["admitted"] = admitted / static_cast<double>(i);
}

BENCHMARK_CAPTURE(decide, dspark, "dspark");
BENCHMARK_CAPTURE(decide, dspark_async, "dspark_async");
BENCHMARK_CAPTURE(decide, threshold, "threshold");

void sort(benchmark::State& state) {
  Steps steps;
  OwnedFrontier frontier;
  std::size_t i = 0;
  for (auto _ : state) {
    frontier.reset(steps.columns(i++));
    benchmark::DoNotOptimize(frontier.best());
  }
}
BENCHMARK(sort);

}  // namespace
}  // namespace dspark
