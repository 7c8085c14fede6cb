#include <benchmark/benchmark.h>

#include "sim/event_queue.h"
#include "sim/random/random_key.h"

namespace dspark {
namespace {

/// One event out, one in, with as many pending as the argument. Target at 4096: scripts/benchmark.
void hold_model(benchmark::State& state) {
  EventQueue queue;
  std::uint32_t draws = 0;
  const auto gap = [&] {
    return static_cast<VirtualTime>(draw_words({1, 1}, Stream::kArrival, 0, ++draws)[0] >> 8);
  };
  for (std::int64_t i = 0; i < state.range(0); ++i) queue.push(gap(), EventKind::kArrival, 0);
  for (auto _ : state) {
    const auto event = queue.next();
    queue.push(event->time + gap(), EventKind::kArrival, 0);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(hold_model)->Arg(64)->Arg(4096);

}  // namespace
}  // namespace dspark
