#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "executor/checkpoint/checkpoint.h"
#include "executor/checkpoint/model_config.h"
#include "executor/drafter/drafter_folder.h"
#include "executor/model/decoder_target.h"
#include "policies/error.h"

namespace dspark {

/// A model's folder, read and checked but for the weights themselves. Its tokenizer is read apart: who serves
/// given tokens needs none.
struct ModelFolder {
  /// Errors: those of its files, with file and key or tensor.
  static Result<ModelFolder> open(const std::string& path);

  std::string path;
  ModelConfig config;
  Checkpoint checkpoint;
};

struct LoadOptions {
  std::optional<ElementType> weights;  // kF32 or kBf16; stored_weight_type unless it is named
  int threads = 1;                     // 0: all cores
  int max_rows = 512;                  // of one step
  int max_logit_rows = 8;
  int kv_blocks = 64;
  int block_tokens = 16;
  std::vector<int> kept_layers = {};  // whose outputs the drafter reads
};

/// A model ready to run on this processor.
class LoadedModel {
 public:
  /// Errors: what this machine lacks (instructions, memory); weights that are no numbers.
  static Result<LoadedModel> load(const ModelFolder& folder, const LoadOptions& options);

  Kernels& kernels() const { return *kernels_; }
  TargetModel& target() const { return *target_; }
  /// For the drafter that is to draft for it.
  DraftTarget draft_target() const { return {*config_, decoder_->weights()}; }

 private:
  LoadedModel() = default;

  std::unique_ptr<ModelConfig> config_;
  std::unique_ptr<Kernels> kernels_;  // outlives what follows
  std::unique_ptr<Decoder> decoder_;
  std::unique_ptr<KvCache> cache_;
  std::unique_ptr<TargetModel> target_;
};

/// "f32" or "bf16"; none for "auto": as the folder stores them.
std::optional<ElementType> named_weight_type(std::string_view name);

/// What a folder's weights are kept in: kF32 where its embedding is f32, kBf16 where it is bf16 or f16.
ElementType stored_weight_type(const Checkpoint& checkpoint, const ModelConfig& config);

}  // namespace dspark
