#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "executor/model/model_plan.h"
#include "executor/model/tensor_names.h"
#include "policies/error.h"

namespace dspark {

/// What a model is loaded for, as far as its memory depends on it.
struct ModelUse {
  ElementType weight_type = ElementType::kBf16;
  ElementType cache_type = ElementType::kBf16;
  std::size_t max_rows = 0;
  std::size_t max_logit_rows = 0;
  std::size_t kept_layers = 0;
  std::size_t kv_tokens = 0;  // that the cache holds, all requests together
};

/// Bytes that a model will take.
struct ModelMemory {
  std::size_t weights = 0;
  std::size_t kv_cache = 0;
  std::size_t step_buffers = 0;

  std::size_t total() const { return weights + kv_cache + step_buffers; }
};

/// Before anything is loaded. Matrices count as the CPU packs them, in panels of 32 outputs.
ModelMemory predict_memory(const ModelPlan& plan, const ModelUse& use, const TensorLayout& layout = {});

/// Memory that may still be taken, and who says so.
struct AvailableMemory {
  std::size_t bytes = 0;
  std::string source;
};

/// The least of what /proc/meminfo calls available and what the process's control groups (versions 1 and 2)
/// leave, where a file cache that can be dropped counts as free. Nothing where the system says neither.
/// `root` stands before the paths.
std::optional<AvailableMemory> available_memory(const std::string& root = "");

/// An error where the model needs more than there is: how much, for what, and how much there is.
std::optional<Error> check_memory(const ModelMemory& needed, const ModelUse& use,
                                  const std::optional<AvailableMemory>& available);

}  // namespace dspark
