#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "executor/checkpoint/model_config.h"
#include "executor/model/model_plan.h"
#include "policies/error.h"

namespace dspark {

/// What a folder's config.json says of a drafter that reads the target's layers.
struct FeatureConfig {
  enum class Kind : std::uint8_t {
    kEagle3,  // the EAGLE-3 paper's layout (LlamaForCausalLMEagle3), DeepSpec's and that of `speculators`
    kMtp,     // one layer of multi-token prediction on a dense Qwen3 layer, as `speculators` keeps it
  };
  Kind kind = Kind::kEagle3;
  ModelConfig layers;              // the decoder layers; their vocabulary is the target's
  int draft_vocab_size = 0;        // tokens that the head knows; layers.vocab_size: all
  std::vector<int> target_layers;  // -1 the embedding, i the output of layer i
  bool norm_before_residual = false;
  bool fc_norm = false;         // each of the target's layers is normed before they are projected
  bool norm_before_fc = false;  // all of them side by side are
  bool norm_output = false;     // what is fed back has passed the final norm
  int speculative_tokens = 0;   // that its publisher drafts; 0: not said
};

/// Of the text of a config.json, which stands at `path`; nothing where it is of no such drafter. Errors:
/// those of the file, with its key; what does not fit the target (vocabulary, layers, hidden size).
Result<std::optional<FeatureConfig>> parse_feature_config(std::string_view text, const std::string& path,
                                                          const ModelConfig& target);

/// Of a folder's config.json.
Result<std::optional<FeatureConfig>> read_feature_config(const std::string& folder,
                                                         const ModelConfig& target);

/// The layers as a decoder runs them.
ModelPlan plan_feature_drafter(const FeatureConfig& config);

}  // namespace dspark
