#pragma once

#include <memory>
#include <string>
#include <vector>

#include "executor/drafter/drafter.h"
#include "executor/drafter/drafter_folder.h"
#include "policies/calibration/confidence_calibration.h"
#include "policies/error.h"

namespace dspark {

/// The drafter that a user named.
struct DrafterChoice {
  std::string what = "none";  // none, ngram, or the folder of a drafter
  int block_size = 7;         // γ: of an n-gram drafter and of chains; block drafters may have less

  bool is_none() const { return what == "none"; }
  bool is_ngram() const { return what == "ngram"; }
  bool is_folder() const { return !is_none() && !is_ngram(); }
};

/// The target's layers that it reads (Drafter::target_layers), before anything is loaded. Errors: as
/// drafter_target_layers.
Result<std::vector<int>> layers_for(const DrafterChoice& choice, const ModelConfig& target);

/// Null for none. Errors: as open_drafter.
Result<std::unique_ptr<Drafter>> make_drafter(const DrafterChoice& choice, const DraftTarget& target,
                                              Kernels& kernels, std::size_t max_requests,
                                              std::size_t kv_tokens);

/// What makes confidences of its signals where it has no head for them: MarginEstimator. Null where it has
/// one, and without a drafter.
std::unique_ptr<ConfidenceCalibration> calibration_for(const Drafter* drafter);

}  // namespace dspark
