// All matrix products of one step of Qwen3-0.6B in bf16, in their order, each with weights of its own, on all
// cores: ours, and oneDNN's on the same shapes. GB/s are the weights' bytes over the time.
#include <benchmark/benchmark.h>
#include <omp.h>

#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "tests/kernels/cpu/cases.h"
#include "tests/kernels/cpu/onednn_product.h"

namespace dspark {
namespace {

struct Product {
  std::size_t inputs, outputs;
};

/// Of 28 layers: q, k, v, o; gate, up, down. Then the LM head.
std::vector<Product> step_products() {
  constexpr std::size_t kWidth = 1024, kHeads = 2048, kKvHeads = 1024, kMiddle = 3072;
  std::vector<Product> products;
  for (int layer = 0; layer < 28; ++layer) {
    products.insert(products.end(), {{kWidth, kHeads},
                                     {kWidth, kKvHeads},
                                     {kWidth, kKvHeads},
                                     {kHeads, kWidth},
                                     {kWidth, kMiddle},
                                     {kWidth, kMiddle},
                                     {kMiddle, kWidth}});
  }
  products.push_back({kWidth, 151936});
  return products;
}

int all_cores() { return static_cast<int>(std::thread::hardware_concurrency()); }

void report(benchmark::State& state) {
  double weights = 0;
  for (const Product& product : step_products()) {
    weights += static_cast<double>(product.inputs) * static_cast<double>(product.outputs);
  }
  state.counters["GB/s"] = benchmark::Counter(2e-9 * weights * static_cast<double>(state.iterations()),
                                              benchmark::Counter::kIsRate);
}

/// The matrices, loaded once.
struct StepMatrices {
  std::unique_ptr<Kernels> kernels = cases::kernels(ElementType::kBf16, all_cores());
  std::vector<std::unique_ptr<Matrix>> matrices;

  StepMatrices() {
    for (const Product& product : step_products()) {
      const auto weights = cases::numbers(product.inputs * product.outputs, 1);
      matrices.push_back(
          kernels->load(ElementType::kF32, cases::bytes_of(weights), product.outputs, product.inputs));
    }
  }
};

/// Argument: rows.
void StepProducts(benchmark::State& state) {
  static const StepMatrices step;
  const auto products = step_products();
  const auto rows = static_cast<std::size_t>(state.range(0));
  const auto x = cases::numbers(rows * 3072, 2);
  std::vector<float> out(rows * 151936);
  for (auto _ : state) {
    for (std::size_t i = 0; i < products.size(); ++i) {
      step.kernels->multiply(cases::view<2>(x, {rows, products[i].inputs}), *step.matrices[i], {}, false,
                             cases::view<2>(out, {rows, products[i].outputs}));
    }
  }
  state.SetLabel(step.kernels->description());
  report(state);
}

void OneDnnStepProducts(benchmark::State& state) {
  omp_set_num_threads(all_cores());
  const auto products = step_products();
  const auto same = [](const Product& a, const Product& b) {
    return a.inputs == b.inputs && a.outputs == b.outputs;
  };
  std::vector<std::unique_ptr<OneDnnProduct>> kinds;  // one for each shape
  std::vector<Product> shapes;
  std::vector<std::size_t> kind;
  std::vector<dnnl::memory> weights;
  for (const Product& product : products) {
    std::size_t k = 0;
    while (k < shapes.size() && !same(shapes[k], product)) ++k;
    if (k == shapes.size()) {
      shapes.push_back(product);
      kinds.push_back(std::make_unique<OneDnnProduct>(static_cast<std::int64_t>(product.inputs),
                                                      static_cast<std::int64_t>(product.outputs),
                                                      state.range(0), ElementType::kBf16));
    }
    kind.push_back(k);
    weights.push_back(kinds[k]->make_weights());
  }
  for (auto _ : state) {
    for (std::size_t i = 0; i < products.size(); ++i) kinds[kind[i]]->multiply(weights[i]);
  }
  report(state);
}

void all_rows(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("rows")->Arg(1)->Arg(8)->Arg(12)->Arg(64);
  benchmark->UseRealTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK(StepProducts)->Apply(all_rows);
BENCHMARK(OneDnnStepProducts)->Apply(all_rows);

}  // namespace
}  // namespace dspark
