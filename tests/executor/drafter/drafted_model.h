#pragma once

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "executor/drafter/drafter_folder.h"
#include "executor/model/decoder_target.h"
#include "tests/executor/model/decoder_steps.h"

namespace dspark {

inline std::string drafter_data() { return DSPARK_SOURCE_DIR "/tests/executor/drafter/data/"; }

/// The tiny target of a drafter among the tests' data: the one whose layers it is made of.
inline std::string target_of(const std::string& drafter) {
  return drafter.find("gemma4") == std::string::npos ? "qwen3_tied" : "gemma4_keys_are_values";
}

/// The tiny target with one of its drafters, both in memory.
class DraftedModel {
 public:
  static constexpr std::size_t kMostRows = 96;

  explicit DraftedModel(const std::string& drafter_folder, ElementType type = ElementType::kF32,
                        DrafterOptions options = {.max_requests = 16, .kv_tokens = 4096},
                        const std::string& target = {})
      : kernels_(kernels_of(type)),
        target_(target.empty() ? target_of(drafter_folder) : target),
        config_(*read_model_config(model_data() + target_)),
        decoder_(load(target_, drafter_folder)) {
    auto drafter = open_drafter(drafter_folder, {config_, decoder_.weights()}, *kernels_, options);
    EXPECT_TRUE(drafter) << to_string(drafter.error());
    drafter_ = std::move(*drafter);
  }

  Kernels& kernels() { return *kernels_; }
  Decoder& decoder() { return decoder_; }
  Drafter& drafter() { return *drafter_; }

  /// The target computes a text in blocks of its own and tells the drafter of all but the last token, in
  /// steps of these sizes.
  void tell(RequestId id, const std::vector<std::int32_t>& text, std::vector<std::size_t> sizes = {}) {
    auto cache = KvCache::make(decoder_.plan(), 16, 8, *kernels_);
    ASSERT_TRUE(cache);
    std::vector<std::int32_t> table(16);
    std::iota(table.begin(), table.end(), 0);
    const std::size_t rows = text.size() - 1;
    std::size_t first = 0;
    for (std::size_t step = 0; first < rows; ++step) {
      const std::size_t count = sizes.empty() ? rows : std::min(sizes[step % sizes.size()], rows - first);
      const std::vector<std::int32_t> first_row{0, static_cast<std::int32_t>(count)};
      const std::vector<std::int32_t> first_position{static_cast<std::int32_t>(first)};
      const auto tokens = std::span(text).subspan(first, count);
      const DecoderOutput output = decoder_.forward(
          {first_row, first_position, {table.data(), {1, table.size()}}}, tokens, *cache, {});
      std::vector<std::int32_t> target_rows(count);
      std::iota(target_rows.begin(), target_rows.end(), 0);
      const std::vector<RequestId> ids{id};
      drafter_->extend({.id = ids,
                        .first_row = first_row,
                        .first_position = first_position,
                        .tokens = tokens,
                        .next_tokens = std::span(text).subspan(first + 1, count),
                        .target_rows = target_rows,
                        .kept = output.kept});
      first += count;
    }
  }

 private:
  Decoder load(const std::string& target, const std::string& drafter_folder) {
    const auto layers = drafter_target_layers(drafter_folder, config_);
    EXPECT_TRUE(layers) << to_string(layers.error());
    auto decoder =
        Decoder::load(model_data() + target, *kernels_,
                      {.max_rows = kMostRows, .max_logit_rows = kMostRows, .kept_layers = *layers});
    EXPECT_TRUE(decoder) << to_string(decoder.error());
    return std::move(*decoder);
  }

  std::unique_ptr<Kernels> kernels_;
  std::string target_;
  ModelConfig config_;
  Decoder decoder_;
  std::unique_ptr<Drafter> drafter_;
};

/// What a drafter proposes for some texts, by request.
struct Drafts {
  std::size_t stride = 0;
  std::vector<int> drafted = {};
  std::vector<std::int32_t> tokens = {};
  std::vector<float> confidence = {}, top1 = {}, margin = {}, entropy = {}, chosen = {};

  friend bool operator==(const Drafts&, const Drafts&) = default;
  std::size_t at(int k, std::size_t request) const {
    return static_cast<std::size_t>(k - 1) * stride + request;
  }
};

inline Drafts draft(Drafter& drafter, std::span<const DraftRequest> requests) {
  Drafts drafts{.stride = requests.size(), .drafted = std::vector<int>(requests.size())};
  const std::size_t entries = requests.size() * static_cast<std::size_t>(drafter.block_size());
  drafts.tokens.assign(entries, -1);
  for (auto* column : {&drafts.confidence, &drafts.top1, &drafts.margin, &drafts.entropy, &drafts.chosen})
    column->assign(entries, -1);
  drafter.draft(requests, {.stride = drafts.stride,
                           .drafted = drafts.drafted,
                           .tokens = drafts.tokens,
                           .confidence = drafts.confidence,
                           .top1 = drafts.top1,
                           .margin = drafts.margin,
                           .entropy = drafts.entropy,
                           .chosen = drafts.chosen});
  return drafts;
}

}  // namespace dspark
