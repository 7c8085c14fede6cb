#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <regex>
#include <string>
#include <vector>

#include "executor/drafter/drafter_folder.h"
#include "executor/drafter/ngram_drafter.h"
#include "executor/model/decoder_target.h"
#include "tests/executor/drafter/drafted_model.h"
#include "tests/executor/model/spoilt_model.h"

namespace dspark::testing {

inline constexpr std::size_t kCountedVocabulary = 8;

/// A committed checkpoint cut to its first `layers` layers and its first tokens, so that all short texts can
/// be counted and hundreds of thousands served in seconds. Drafters are of a target that is cut to two.
inline void write_cut(const std::string& folder, int layers, const ModelFolder& to) {
  constexpr std::size_t kWhole = 64;
  SpoiltModel model(folder);
  std::erase_if(model.tensors, [&](const auto& tensor) {
    std::smatch layer;
    return std::regex_search(tensor.first, layer, std::regex(R"(\blayers\.(\d+))")) &&
           std::stoi(layer[1]) >= layers;
  });
  for (auto& [name, tensor] : model.tensors) {
    for (const char* of_tokens :
         {"embed_tokens.weight", "lm_head.weight", "markov_w1.weight", "markov_w2.weight"}) {
      if (!name.ends_with(of_tokens)) continue;
      ASSERT_EQ(tensor.shape[0], kWhole) << name;
      tensor.bytes.resize(tensor.bytes.size() / kWhole * kCountedVocabulary);
      tensor.shape[0] = kCountedVocabulary;
    }
  }
  const std::pair<const char*, std::string> changes[] = {
      {R"re((vocab_size": )64)re", "$01" + std::to_string(kCountedVocabulary)},
      {R"re(("num_hidden_layers": )\d+)re", "$01" + std::to_string(layers)},
      {R"re(("num_target_layers": )\d+)re", "$012"},
      {R"re(("layer_types": \[)[^\]]*)re",
       std::string("$01\"full_attention\"") + (layers == 2 ? ", \"full_attention\"" : "")},
      {R"re(("target_layer_ids": \[)[^\]]*)re", "$01-1, 0"},
      {R"re(("eagle_aux_hidden_state_layer_ids": \[)[^\]]*)re", "$011"}};
  for (const auto& [old, now] : changes)
    model.config = std::regex_replace(model.config, std::regex(old), now);
  model.write(to);
}

/// A target and a drafter that are so cut, in memory. drafter: a folder of tests/executor/drafter/data or
/// .../model/data, or "ngram".
class CountedModel {
 public:
  static constexpr int kMostRequests = 64, kMostRows = 512, kBlocks = 256, kBlockTokens = 8;
  static constexpr int kBlockSize = 2;

  explicit CountedModel(const std::string& drafter) : kernels_(kernels_of(ElementType::kF32)) {
    write_cut(model_data() + "qwen3_tied", 2, target_folder_);
    config_ = *read_model_config(target_folder_.path());
    std::vector<int> layers;
    if (drafter != "ngram") {
      write_cut(drafter, 1, drafter_folder_);
      const auto read = drafter_target_layers(drafter_folder_.path(), config_);
      if (!read) ADD_FAILURE() << to_string(read.error());
      layers = *read;
    }
    auto decoder =
        Decoder::load(target_folder_.path(), *kernels_,
                      {.max_rows = kMostRows, .max_logit_rows = kMostRows, .kept_layers = std::move(layers)});
    if (!decoder) ADD_FAILURE() << to_string(decoder.error());
    decoder_ = std::make_unique<Decoder>(*std::move(decoder));
    cache_ = std::make_unique<KvCache>(*KvCache::make(decoder_->plan(), kBlocks, kBlockTokens, *kernels_));
    target_ = std::make_unique<DecoderTarget>(*decoder_, *cache_);
    open(drafter);
  }

  Kernels& kernels() { return *kernels_; }
  TargetModel& target() { return *target_; }
  Drafter& drafter() { return *drafter_; }

  /// Logits behind a text, by the same decoder, which computes it in one piece.
  std::vector<float> logits(const std::vector<std::int32_t>& text) {
    const auto rows = static_cast<std::int32_t>(text.size());
    const std::vector<std::int32_t> first_row{0, rows}, first_position{0}, logit_rows{rows - 1}, table{0, 1};
    const DecoderOutput output = decoder_->forward(
        {first_row, first_position, {table.data(), {1, table.size()}}}, text, *cache_, logit_rows);
    std::vector<float> logits(kCountedVocabulary);
    kernels_->read(reinterpret_cast<const std::byte*>(output.logits.data),
                   std::as_writable_bytes(std::span(logits)));
    return logits;
  }

 private:
  void open(const std::string& drafter) {
    if (drafter == "ngram") {
      drafter_ = std::make_unique<NgramDrafter>(
          NgramOptions{.block_size = kBlockSize, .longest_match = 2, .shortest_match = 1});
      return;
    }
    auto opened = open_drafter(
        drafter_folder_.path(), {config_, decoder_->weights()}, *kernels_,
        {.max_requests = kMostRequests, .kv_tokens = 32 * kMostRequests, .block_size = kBlockSize});
    if (!opened) ADD_FAILURE() << to_string(opened.error());
    drafter_ = *std::move(opened);
  }

  ModelFolder target_folder_, drafter_folder_;
  std::unique_ptr<Kernels> kernels_;
  ModelConfig config_;
  std::unique_ptr<Decoder> decoder_;
  std::unique_ptr<KvCache> cache_;
  std::unique_ptr<DecoderTarget> target_;
  std::unique_ptr<Drafter> drafter_;
};

}  // namespace dspark::testing
