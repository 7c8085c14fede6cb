#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "executor/checkpoint/model_config.h"
#include "executor/drafter/chain_drafter.h"
#include "executor/drafter/drafter_folder.h"
#include "policies/error.h"

namespace dspark {

/// What config.json calls drafters that draft token by token: values of speculators_model_type, and
/// architectures.
inline constexpr std::string_view kChainDrafterTypes[] = {"eagle3", "mtp"};
inline constexpr std::string_view kChainDrafterArchitectures[] = {
    "LlamaForCausalLMEagle3",
    "Eagle3LlamaForCausalLM",
    "Qwen3Eagle3Model",
    "Qwen3ForCausalLM",
    "LlamaForCausalLM",
    "Gemma3ForCausalLM",
    "Gemma3ForConditionalGeneration",
    "Gemma4ForCausalLM",
    "Gemma4ForConditionalGeneration",
};

/// Where a folder does not say how long a chain is.
inline constexpr int kDefaultChain = 4;

/// A drafter that drafts token by token, of the kind that the folder's config.json names: EAGLE-3, one layer
/// of MTP (FeatureConfig), or else a language model with the target's vocabulary. options.block_size 0: what
/// the folder says, or kDefaultChain. Errors: as those of its files, with the key or tensor; what does not
/// fit the target; memory runs out.
Result<std::unique_ptr<ChainDrafter>> open_chain_drafter(const std::string& folder, const DraftTarget& target,
                                                         Kernels& kernels, const ChainOptions& options);

/// The layers of the target that a drafter reads whose config.json, the one at `path`, this is. Errors: those
/// of the file; what does not fit the target.
Result<std::vector<int>> chain_target_layers(std::string_view config, const std::string& path,
                                             const ModelConfig& target);

}  // namespace dspark
