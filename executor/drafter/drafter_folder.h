#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "executor/checkpoint/model_config.h"
#include "executor/drafter/drafter.h"
#include "executor/model/model_weights.h"
#include "policies/error.h"

namespace dspark {

/// The model that a drafter drafts for. Both outlive the drafter: it may embed and project with the target's
/// own matrices.
struct DraftTarget {
  const ModelConfig& config;
  const ModelWeights& weights;
};

/// For what a drafter's buffers and keys and values are made.
struct DrafterOptions {
  std::size_t max_requests = 0;  // that draft in one step; from 1
  std::size_t kv_tokens = 0;     // of all requests together; room for max_requests blocks beside the texts
  int block_size = 0;            // 0: the checkpoint's; else at most that, but for chains any
};

/// The layers of the target that the drafter of a folder reads, for DecoderOptions::kept_layers: the target
/// is loaded before its drafter. Errors: as open_drafter, where config.json shows them.
Result<std::vector<int>> drafter_target_layers(const std::string& folder, const ModelConfig& target);

/// The same of a config.json, the one at `path`, with whatever else is known without a drafter's tensors.
Result<std::vector<int>> parse_drafter_target_layers(std::string_view config, const std::string& path,
                                                     const ModelConfig& target);

/// The drafter in a model's folder, by its config.json: DSpark and DFlash on a Qwen3 stack, as DeepSpec,
/// DFlash's authors or the `speculators` library save them; chains (chain_folder.h): EAGLE-3, MTP, and any
/// language model with the target's vocabulary. Errors name file and key or tensor: an unknown architecture;
/// what does not fit the target; tensors missing, surplus or misshapen; memory runs out. `kernels` outlives
/// it.
Result<std::unique_ptr<Drafter>> open_drafter(const std::string& folder, const DraftTarget& target,
                                              Kernels& kernels, const DrafterOptions& options);

}  // namespace dspark
