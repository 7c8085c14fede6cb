#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "executor/model/decoder.h"
#include "kernels/cpu/cpu_kernels.h"

namespace dspark {

inline std::string model_data() { return DSPARK_SOURCE_DIR "/tests/executor/model/data/"; }

/// Numbers of `transformers` for one model, in its folder (scripts/references/models.py, or smollm2.py).
class Reference {
 public:
  explicit Reference(const std::string& name, const std::string& data = model_data())
      : file_(*SafetensorsFile::open(data + name + "/reference.safetensors")) {}

  std::vector<float> numbers(const std::string& name) const {
    for (const TensorInfo& info : file_.tensors()) {
      if (info.name != name) continue;
      const auto bytes = file_.weights(info)->bytes;
      std::vector<float> numbers(bytes.size() / sizeof(float));
      std::copy(bytes.begin(), bytes.end(), std::as_writable_bytes(std::span(numbers)).begin());
      return numbers;
    }
    ADD_FAILURE() << "no tensor " << name;
    return {};
  }
  std::vector<std::int32_t> tokens(const std::string& name = "tokens") const {
    const auto numbers = this->numbers(name);
    return {numbers.begin(), numbers.end()};
  }

 private:
  SafetensorsFile file_;
};

inline std::unique_ptr<Kernels> kernels_of(ElementType type, int threads = 1,
                                           std::optional<InstructionSet> instruction_set = {}) {
  CpuOptions options;
  options.weight_type = type;
  options.threads = threads;
  options.instruction_set = instruction_set;
  CpuKernels made = make_cpu_kernels(options);
  EXPECT_EQ(made.error, "");
  return std::move(made.kernels);
}

/// What a request's rows gave, by position.
struct RequestRows {
  std::vector<float> hidden;  // (positions, width)
  std::vector<float> logits;  // (positions, vocabulary)
  std::vector<std::vector<float>> kept;

  friend bool operator==(const RequestRows&, const RequestRows&) = default;
};

/// A part of a request that a step runs.
struct Part {
  std::size_t request = 0;
  std::size_t first = 0;
  std::size_t count = 0;
};

/// A model in memory and requests that run through it in steps.
class DecoderSteps {
 public:
  static constexpr std::size_t kBlocks = 24;
  static constexpr std::size_t kBlockTokens = 8;

  DecoderSteps(const std::string& name, ElementType type, int threads = 1,
               std::optional<InstructionSet> instruction_set = {})
      : kernels_(kernels_of(type, threads, instruction_set)),
        decoder_(load(name, *kernels_)),
        cache_(make_cache()) {}

  static DecoderOptions options(const ModelConfig& config) {
    DecoderOptions options{.max_rows = 96, .max_logit_rows = 96, .kept_layers = {}};
    for (int layer = -1; layer < config.layers; ++layer) options.kept_layers.push_back(layer);
    return options;
  }

  Decoder& decoder() { return decoder_; }
  Kernels& kernels() { return *kernels_; }
  const KvCache& cache() const { return cache_; }

  /// Runs requests of these tokens, whose positions lie in the blocks of `tables`, step by step.
  std::vector<RequestRows> run(const std::vector<std::vector<std::int32_t>>& tokens,
                               const std::vector<std::vector<std::int32_t>>& tables,
                               const std::vector<std::vector<Part>>& steps) {
    std::vector<RequestRows> results(tokens.size());
    for (RequestRows& result : results) result.kept.resize(decoder_.plan().layers.size() + 1);
    for (const auto& step : steps) run_step(tokens, tables, step, results);
    return results;
  }
  /// One request alone, in steps of these sizes; what is left is the last one.
  RequestRows run(const std::vector<std::int32_t>& tokens, const std::vector<std::size_t>& sizes,
                  std::vector<std::int32_t> table = {0, 1, 2, 3, 4, 5}) {
    std::vector<std::vector<Part>> steps;
    std::size_t first = 0;
    for (std::size_t i = 0; first < tokens.size(); ++i) {
      const std::size_t left = tokens.size() - first;
      const std::size_t count = sizes.empty() ? left : std::min(left, sizes[i % sizes.size()]);
      steps.push_back({{0, first, count}});
      first += count;
    }
    return run({tokens}, {std::move(table)}, steps)[0];
  }

 private:
  static Decoder load(const std::string& name, Kernels& kernels) {
    const std::string folder = model_data() + name;
    const auto config = read_model_config(folder);
    EXPECT_TRUE(config) << to_string(config.error());
    auto decoder = Decoder::load(folder, kernels, options(*config));
    EXPECT_TRUE(decoder) << to_string(decoder.error());
    return std::move(*decoder);
  }
  KvCache make_cache() {
    auto cache = KvCache::make(decoder_.plan(), kBlocks, kBlockTokens, *kernels_);
    EXPECT_TRUE(cache) << to_string(cache.error());
    return std::move(*cache);
  }

  void run_step(const std::vector<std::vector<std::int32_t>>& tokens,
                const std::vector<std::vector<std::int32_t>>& tables, const std::vector<Part>& step,
                std::vector<RequestRows>& results) {
    std::vector<std::int32_t> first_row{0}, first_position, packed, blocks;
    for (const Part& part : step) {
      first_row.push_back(first_row.back() + static_cast<std::int32_t>(part.count));
      first_position.push_back(static_cast<std::int32_t>(part.first));
      const auto begin = tokens[part.request].begin() + static_cast<std::ptrdiff_t>(part.first);
      packed.insert(packed.end(), begin, begin + static_cast<std::ptrdiff_t>(part.count));
      blocks.insert(blocks.end(), tables[part.request].begin(), tables[part.request].end());
    }
    const RaggedRows rows{first_row, first_position, {blocks.data(), {step.size(), tables[0].size()}}};
    std::vector<std::int32_t> all(packed.size());
    std::iota(all.begin(), all.end(), 0);
    const DecoderOutput output = decoder_.forward(rows, packed, cache_, all);
    std::size_t row = 0;
    for (const Part& part : step) {
      RequestRows& result = results[part.request];
      append(output.hidden.rows(row, part.count), result.hidden);
      append(output.logits.rows(row, part.count), result.logits);
      for (std::size_t i = 0; i < output.kept.size(); ++i)
        append(output.kept[i].rows(row, part.count), result.kept[i]);
      row += part.count;
    }
  }

  void append(View<const float, 2> rows, std::vector<float>& to) {
    const std::size_t before = to.size();
    to.resize(before + rows.size());
    kernels_->read(reinterpret_cast<const std::byte*>(rows.data),
                   std::as_writable_bytes(std::span(to).subspan(before)));
  }

  std::unique_ptr<Kernels> kernels_;
  Decoder decoder_;
  KvCache cache_;
};

/// The largest difference within each row of `width`, relative to the row's largest number.
inline std::vector<double> row_differences(const std::vector<float>& numbers,
                                           const std::vector<float>& expected, std::size_t width) {
  EXPECT_EQ(numbers.size(), expected.size());
  std::vector<double> differences;
  for (std::size_t row = 0; row + width <= std::min(numbers.size(), expected.size()); row += width) {
    double largest = 0, difference = 0;
    for (std::size_t i = row; i < row + width; ++i) {
      largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
      const double error = std::abs(static_cast<double>(numbers[i]) - static_cast<double>(expected[i]));
      difference = std::isnan(error) ? INFINITY : std::max(difference, error);
    }
    differences.push_back(difference / largest);
  }
  return differences;
}

inline double largest_difference(const std::vector<float>& numbers, const std::vector<float>& expected,
                                 std::size_t width) {
  const auto differences = row_differences(numbers, expected, width);
  return *std::max_element(differences.begin(), differences.end());
}

}  // namespace dspark
