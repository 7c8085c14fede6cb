// Whole steps of a real target on all cores, its weights in the type that its folder stores: requests with a
// context of their own, each with as many rows behind it. DSPARK_BENCHMARK_MODEL names the folder
// (scripts/make_random_model makes one). GB/s are the bytes of all weights and of the keys and values that
// the step attends to, each counted once, over the time.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "executor/generation/loaded_model.h"
#include "executor/model/model_memory.h"

namespace dspark {
namespace {

constexpr int kBlockTokens = 16, kRequests = 8, kLongestContext = 1024, kMaxRows = 64;
constexpr int kBlocksOfRequest = kLongestContext / kBlockTokens + 1;

/// A model, and texts of kLongestContext tokens in its cache.
class TextsInMemory {
 public:
  TextsInMemory() : tables_(kRequests * kBlocksOfRequest) {
    std::iota(tables_.begin(), tables_.end(), 0);
    const char* path = std::getenv("DSPARK_BENCHMARK_MODEL");
    const auto folder = path == nullptr ? Result<ModelFolder>(Error{"DSPARK_BENCHMARK_MODEL names no folder"})
                                        : ModelFolder::open(path);
    if (!folder) {
      error_ = folder.error().message;
      return;
    }
    LoadOptions options;
    options.threads = 0;
    options.max_logit_rows = kMaxRows;
    options.kv_blocks = kRequests * kBlocksOfRequest;
    options.block_tokens = kBlockTokens;
    auto loaded = LoadedModel::load(*folder, options);
    if (!loaded) {
      error_ = loaded.error().message;
      return;
    }
    model_ = std::make_unique<LoadedModel>(*std::move(loaded));
    const ElementType type = model_->kernels().weight_type();
    const auto bytes =
        predict_memory(plan_model(folder->config), {.weight_type = type, .cache_type = type, .kv_tokens = 1});
    weight_bytes_ = static_cast<double>(bytes.weights);
    kv_bytes_of_token_ = static_cast<double>(bytes.kv_cache);
  }

  const std::string& error() const { return error_; }
  std::string machine() const { return model_->kernels().description(); }
  double bytes_read(int requests, int context) const {
    return weight_bytes_ + kv_bytes_of_token_ * requests * context;
  }

  /// Texts of so many requests are in the cache from now on.
  void prepare(int requests) {
    for (; texts_ < requests; ++texts_) compute_text(texts_);
  }
  /// A step of `requests` with `rows` each, behind `context` tokens.
  void step(int requests, int rows, int context) {
    std::vector<std::int32_t> starts(static_cast<std::size_t>(requests) + 1);
    for (std::size_t r = 0; r < starts.size(); ++r) starts[r] = rows * static_cast<std::int32_t>(r);
    const std::vector<std::int32_t> first(static_cast<std::size_t>(requests), context - rows);
    const std::vector<std::int32_t> tokens(static_cast<std::size_t>(requests * rows), 1);
    std::vector<std::int32_t> logit_rows(tokens.size());
    std::iota(logit_rows.begin(), logit_rows.end(), 0);
    model_->target().forward({starts, first, tables(0, requests)}, tokens, logit_rows);
  }

 private:
  void compute_text(int request) {
    constexpr std::int32_t kChunk = 256;
    const std::vector<std::int32_t> tokens(kChunk, request + 1);
    const std::int32_t starts[] = {0, kChunk};
    for (std::int32_t first = 0; first < kLongestContext; first += kChunk) {
      model_->target().forward({starts, {&first, 1}, tables(request, 1)}, tokens, {});
    }
  }
  View<const std::int32_t, 2> tables(int first, int requests) const {
    return {tables_.data() + first * kBlocksOfRequest,
            {static_cast<std::size_t>(requests), static_cast<std::size_t>(kBlocksOfRequest)}};
  }

  std::vector<std::int32_t> tables_;
  std::string error_;
  int texts_ = 0;
  std::unique_ptr<LoadedModel> model_;
  double weight_bytes_ = 0, kv_bytes_of_token_ = 0;
};

/// Arguments: requests, rows of each, context.
void Step(benchmark::State& state) {
  static TextsInMemory texts;
  if (!texts.error().empty()) {
    state.SkipWithError(texts.error().c_str());
    return;
  }
  const auto requests = static_cast<int>(state.range(0)), rows = static_cast<int>(state.range(1)),
             context = static_cast<int>(state.range(2));
  texts.prepare(requests);
  for (auto _ : state) texts.step(requests, rows, context);
  state.SetLabel(texts.machine());
  state.counters["GB/s"] =
      benchmark::Counter(1e-9 * texts.bytes_read(requests, context) * static_cast<double>(state.iterations()),
                         benchmark::Counter::kIsRate);
}

BENCHMARK(Step)
    ->ArgNames({"requests", "rows", "context"})
    ->ArgsProduct({{1}, {1, 8, 12}, {128, 1024}})
    ->Args({8, 1, 1024})
    ->Args({8, 8, 1024})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace dspark
