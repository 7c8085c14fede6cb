#pragma once

#include <memory>
#include <string>
#include <vector>

#include "executor/checkpoint/model_config.h"
#include "executor/drafter/chain_drafter.h"
#include "policies/error.h"

namespace dspark {

/// Whose text a drafter drafts.
struct DraftTarget {
  const ModelConfig& config;
  const ModelWeights& weights;  // drafters may read its embedding, head and final norm: it outlives them
};

/// A drafter that drafts token by token, of the kind that the folder's config.json names: EAGLE-3, one layer
/// of MTP (FeatureConfig), or else a language model with the target's vocabulary. options.block_size 0: what
/// the folder says, or kDefaultChain. Errors: as those of its files, with the key or tensor; what does not
/// fit the target; memory runs out.
Result<std::unique_ptr<ChainDrafter>> open_chain_drafter(const std::string& folder, const DraftTarget& target,
                                                         Kernels& kernels, const ChainOptions& options);

/// The layers of the target that the drafter of a folder reads: it is loaded before its drafter. Errors:
/// those of config.json.
Result<std::vector<int>> chain_target_layers(const std::string& folder, const ModelConfig& target);

inline constexpr int kDefaultChain = 4;

}  // namespace dspark
