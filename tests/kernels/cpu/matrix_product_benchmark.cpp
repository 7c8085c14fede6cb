// Matrix products of a model of 0.6 B weights (Qwen3-0.6B: width 1024, 16 and 8 heads of 128, 3072 in the
// middle, 151936 tokens), what the machine's memory gives to as many threads, and oneDNN on the same rows.
// GB/s of a product are its weights' bytes over its time: at one row it cannot exceed what ReadMemory shows.
#include <benchmark/benchmark.h>
#include <omp.h>

#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "kernels/cpu/memory.h"
#include "kernels/cpu/workers.h"
#include "tests/kernels/cpu/cases.h"
#include "tests/kernels/cpu/onednn_product.h"

namespace dspark {
namespace {

struct Shape {
  std::int64_t inputs, outputs;
};
constexpr Shape kShapes[] = {{1024, 2048}, {1024, 1024}, {2048, 1024},
                             {1024, 3072}, {3072, 1024}, {1024, 151936}};

/// As many matrices of a shape as are certain not to stay in a cache between two uses.
std::size_t copies(const Shape& shape, std::size_t weight_bytes) {
  constexpr std::size_t kOutOfCache = std::size_t{256} << 20;
  return kOutOfCache / (static_cast<std::size_t>(shape.inputs * shape.outputs) * weight_bytes) + 1;
}

void report(benchmark::State& state, const Shape& shape, std::size_t weight_bytes) {
  const auto weights = static_cast<double>(shape.inputs * shape.outputs);
  const auto passes = static_cast<double>(state.iterations());
  state.counters["GB/s"] = benchmark::Counter(passes * weights * static_cast<double>(weight_bytes) * 1e-9,
                                              benchmark::Counter::kIsRate);
  state.counters["GFLOP/s"] = benchmark::Counter(
      passes * 2e-9 * weights * static_cast<double>(state.range(1)), benchmark::Counter::kIsRate);
}

/// All of 512 MiB once, in eight registers for each thread. Argument: threads.
void ReadMemory(benchmark::State& state) {
  Workers workers(static_cast<int>(state.range(0)));
  const std::size_t count = std::size_t{64} << 20;
  Memory memory = allocate_memory(count * sizeof(std::uint64_t));
  auto* words = reinterpret_cast<std::uint64_t*>(memory.get());
  std::iota(words, words + count, std::uint64_t{1});
  std::vector<std::uint64_t> sums(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    workers.split(count / 16, 1, [&](std::size_t first, std::size_t end, std::size_t worker) {
      std::uint64_t sum[16] = {};
      for (std::size_t i = first; i < end; ++i) {
        __builtin_prefetch(words + i * 16 + 512);
        __builtin_prefetch(words + i * 16 + 520);
        for (std::size_t lane = 0; lane < 16; ++lane) sum[lane] ^= words[i * 16 + lane];
      }
      sums[worker] = std::accumulate(sum, sum + 16, std::uint64_t{0});
    });
    benchmark::DoNotOptimize(sums.data());
    benchmark::ClobberMemory();
  }
  state.counters["GB/s"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * static_cast<double>(count) * sizeof(std::uint64_t) * 1e-9,
      benchmark::Counter::kIsRate);
}

/// Arguments: shape, rows, threads. The best instruction set, or this one.
void Multiply(benchmark::State& state, ElementType type, InstructionSet set = instruction_sets().back()) {
  const Shape shape = kShapes[state.range(0)];
  const auto inputs = static_cast<std::size_t>(shape.inputs),
             outputs = static_cast<std::size_t>(shape.outputs);
  const auto rows = static_cast<std::size_t>(state.range(1));
  const auto kernels = cases::kernels(type, set, static_cast<int>(state.range(2)));
  const std::size_t bytes = type == ElementType::kF32 ? 4 : 2;
  std::vector<std::unique_ptr<Matrix>> matrices;
  const auto weights = cases::numbers(inputs * outputs, 1), x = cases::numbers(rows * inputs, 2);
  for (std::size_t i = 0; i < copies(shape, bytes); ++i) {
    matrices.push_back(kernels->load(ElementType::kF32, cases::bytes_of(weights), outputs, inputs));
  }
  std::vector<float> out(rows * outputs);
  std::size_t next = 0;
  for (auto _ : state) {
    kernels->multiply(cases::view<2>(x, {rows, inputs}), *matrices[next], {}, false,
                      cases::view<2>(out, {rows, outputs}));
    next = (next + 1) % matrices.size();
  }
  state.SetLabel(kernels->description());
  report(state, shape, bytes);
}

/// The same by oneDNN.
void OneDnn(benchmark::State& state, ElementType type) {
  const Shape shape = kShapes[state.range(0)];
  omp_set_num_threads(static_cast<int>(state.range(2)));
  OneDnnProduct product(shape.inputs, shape.outputs, state.range(1), type);
  const std::size_t bytes = type == ElementType::kF32 ? 4 : 2;
  std::vector<dnnl::memory> matrices;
  for (std::size_t i = 0; i < copies(shape, bytes); ++i) matrices.push_back(product.make_weights());
  std::size_t next = 0;
  for (auto _ : state) {
    product.multiply(matrices[next]);
    next = (next + 1) % matrices.size();
  }
  report(state, shape, bytes);
}

void all_products(benchmark::internal::Benchmark* benchmark) {
  for (const std::int64_t threads : {1, 2}) {
    for (std::int64_t shape = 0; shape < std::ssize(kShapes); ++shape) {
      for (const std::int64_t rows : {1, 2, 4, 8, 12, 64, 256}) benchmark->Args({shape, rows, threads});
    }
  }
  benchmark->ArgNames({"shape", "rows", "threads"})->UseRealTime()->Unit(benchmark::kMicrosecond);
}

void one_shape(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"shape", "rows", "threads"})->ArgsProduct({{3}, {1, 2, 4, 8, 12, 64, 256}, {1, 2}});
  benchmark->UseRealTime()->Unit(benchmark::kMicrosecond);
}

BENCHMARK(ReadMemory)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(std::max(2, static_cast<int>(std::thread::hardware_concurrency())))
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Multiply, f32, ElementType::kF32)->Apply(all_products);
BENCHMARK_CAPTURE(Multiply, bf16, ElementType::kBf16)->Apply(all_products);
BENCHMARK_CAPTURE(Multiply, f32_avx2, ElementType::kF32, InstructionSet::kAvx2)->Apply(one_shape);
BENCHMARK_CAPTURE(Multiply, bf16_avx2, ElementType::kBf16, InstructionSet::kAvx2)->Apply(one_shape);
BENCHMARK_CAPTURE(OneDnn, f32, ElementType::kF32)->Apply(all_products);
BENCHMARK_CAPTURE(OneDnn, bf16, ElementType::kBf16)->Apply(all_products);

}  // namespace
}  // namespace dspark
