// Attention of one layer of a model of 0.6 B weights (Qwen3-0.6B: 16 query heads on 8 kv heads of 128) with
// this context, rows of one request: a token decoded, a verified block of eight, a chunk of a prompt. GB/s
// are the bytes of its keys and values, each counted once, over the time.
#include <benchmark/benchmark.h>

#include <numeric>

#include "tests/kernels/cpu/cases.h"

namespace dspark {
namespace {

/// Arguments: context, rows, threads. The rows are the context's last.
void Attend(benchmark::State& state, ElementType type) {
  constexpr std::size_t kHeads = 16, kKvHeads = 8, kDim = 128, kTokens = 16;
  const auto context = static_cast<std::size_t>(state.range(0)),
             rows = static_cast<std::size_t>(state.range(1));
  const auto kernels = cases::kernels(type, static_cast<int>(state.range(2)));
  const std::size_t blocks = context / kTokens, numbers = context * kKvHeads * kDim;
  const std::size_t bytes = numbers * (type == ElementType::kF32 ? 4 : 2);
  const auto keys = kernels->allocate(bytes), values = kernels->allocate(bytes);
  const KvLayer cache{keys->data(), values->data(), blocks, kKvHeads, kTokens, kDim};
  std::vector<std::int32_t> table(blocks);
  std::iota(table.rbegin(), table.rend(), 0);
  const View<const std::int32_t, 2> tables(table.data(), {1, blocks});
  const auto whole = static_cast<std::int32_t>(context), asked = static_cast<std::int32_t>(rows);
  const std::int32_t all_rows[] = {0, whole}, last_rows[] = {0, asked}, start = 0, first = whole - asked;
  const auto stored = cases::numbers(numbers, 1), queries = cases::numbers(rows * kHeads * kDim, 2);
  const auto texts = cases::view<3>(stored, {context, kKvHeads, kDim});
  kernels->store({all_rows, {&start, 1}, tables}, texts, texts, cache);
  std::vector<float> out(queries.size());
  for (auto _ : state) {
    kernels->attend({last_rows, {&first, 1}, tables}, cases::view<3>(queries, {rows, kHeads, kDim}), cache,
                    {.scale = 0.088f}, cases::view<3>(out, {rows, kHeads, kDim}));
  }
  state.SetLabel(kernels->description());
  state.counters["GB/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * 2e-9 * static_cast<double>(bytes),
                         benchmark::Counter::kIsRate);
}

void contexts(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"context", "rows", "threads"})->ArgsProduct({{1024, 8192}, {1, 8, 256}, {1, 2}});
  benchmark->UseRealTime()->Unit(benchmark::kMicrosecond);
}
BENCHMARK_CAPTURE(Attend, f32, ElementType::kF32)->Apply(contexts);
BENCHMARK_CAPTURE(Attend, bf16, ElementType::kBf16)->Apply(contexts);

}  // namespace
}  // namespace dspark
