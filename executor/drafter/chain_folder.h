#pragma once

#include <memory>
#include <string>

#include "executor/checkpoint/model_config.h"
#include "executor/drafter/chain_drafter.h"
#include "policies/error.h"

namespace dspark {

/// Any published model as the drafter of another one with the same vocabulary (Leviathan 2023). Errors: as
/// those of its folder; a vocabulary of another size; memory runs out.
Result<std::unique_ptr<ChainDrafter>> open_language_model_drafter(const std::string& folder,
                                                                  const ModelConfig& target, Kernels& kernels,
                                                                  const ChainOptions& options);

}  // namespace dspark
