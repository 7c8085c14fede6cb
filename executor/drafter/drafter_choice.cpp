#include "executor/drafter/drafter_choice.h"

#include "executor/drafter/ngram_drafter.h"
#include "policies/calibration/margin_estimator.h"

namespace dspark {

Result<std::vector<int>> layers_for(const DrafterChoice& choice, const ModelConfig& target) {
  if (!choice.is_folder()) return std::vector<int>();
  return drafter_target_layers(choice.what, target);
}

Result<std::unique_ptr<Drafter>> make_drafter(const DrafterChoice& choice, const DraftTarget& target,
                                              Kernels& kernels, std::size_t max_requests,
                                              std::size_t kv_tokens) {
  if (choice.is_none()) return std::unique_ptr<Drafter>();
  if (choice.is_ngram()) {
    return std::unique_ptr<Drafter>(
        std::make_unique<NgramDrafter>(NgramOptions{.block_size = choice.block_size}));
  }
  return open_drafter(
      choice.what, target, kernels,
      {.max_requests = max_requests, .kv_tokens = kv_tokens, .block_size = choice.block_size});
}

std::unique_ptr<ConfidenceCalibration> calibration_for(const Drafter* drafter) {
  if (drafter == nullptr || drafter->has_confidence_head()) return nullptr;
  return std::make_unique<MarginEstimator>(drafter->block_size());
}

}  // namespace dspark
