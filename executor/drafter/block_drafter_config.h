#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "executor/checkpoint/model_config.h"
#include "executor/model/model_plan.h"
#include "executor/model/tensor_names.h"
#include "policies/error.h"

namespace dspark {

/// How a drafted token moves the logits of the next one (DSpark, section 3.1).
enum class MarkovHeadType : std::uint8_t { kNone, kVanilla, kGated, kRnn };

/// What config.json says of a block drafter (DSpark, DFlash).
struct BlockDrafterConfig {
  ModelConfig stack;                // of the draft layers, in the target's width
  std::vector<int> target_layers;   // that it reads: -1 the embedding, i the output of layer i
  int target_layer_count = 0;       // of the target that it was trained for; 0: it does not say
  int block_rows = 0;               // rows of a block: the anchor and the mask tokens behind it
  bool samples_from_anchor = true;  // the anchor's row predicts too; else the mask tokens' rows alone
  bool causal_windows = false;      // in layers with a sliding window a row of the block sees no later one
  int mask_token = 0;
  MarkovHeadType markov = MarkovHeadType::kNone;
  int markov_rank = 0;
  bool confidence_head = false;
  bool confidence_reads_markov = false;  // the token before, beside the hidden state
  int draft_vocabulary = 0;              // tokens that it can draft, by a map of its own; 0: all
  bool own_embedding = true;             // else embedding and LM head are the target's
  bool own_head = true;
  std::string layers_key = "target_layer_ids";  // of the file, for what is wrong with it
  int first_layer_id = -1;                      // what the file calls the embedding

  /// γ
  int block_size() const { return samples_from_anchor ? block_rows : block_rows - 1; }
};

/// What config.json calls them: values of speculators_model_type, and architectures.
inline constexpr std::string_view kBlockDrafterTypes[] = {"dspark", "dflash"};
inline constexpr std::string_view kBlockDrafterArchitectures[] = {"Qwen3DSparkModel", "Gemma4DSparkModel",
                                                                  "DFlashDraftModel"};

/// Reads a config.json in DeepSpec's layout (on Qwen3 or Gemma-4 layers), in that of DFlash's authors
/// (`DFlashDraftModel`, which predicts from the mask tokens alone) or in that of the `speculators` library,
/// 0.9. Errors name file and key.
Result<BlockDrafterConfig> parse_block_drafter_config(std::string_view text, const std::string& path);

/// The layers as a decoder runs them: attention goes both ways inside a block, but for causal_windows. A
/// sliding window is of positions before the block, for all its rows alike, as `speculators` trains it.
ModelPlan plan_block_drafter(const BlockDrafterConfig& config);
/// Its tensors: those of the layers, without a prefix, and the heads.
TensorLayout block_drafter_layout(const BlockDrafterConfig& config);

}  // namespace dspark
