#include "executor/generation/loaded_model.h"

#include <algorithm>
#include <thread>

#include "kernels/cpu/cpu_kernels.h"

namespace dspark {

Result<ModelFolder> ModelFolder::open(const std::string& path) {
  auto config = read_model_config(path);
  if (!config) return config.error();
  auto checkpoint = Checkpoint::open(path);
  if (!checkpoint) return checkpoint.error();
  if (auto error = check_tensors(*checkpoint, plan_model(*config), tensor_layout(*checkpoint))) return *error;
  return ModelFolder{path, *std::move(config), *std::move(checkpoint)};
}

ElementType stored_weight_type(const Checkpoint& checkpoint, const ModelConfig& config) {
  for (const ModelTensor& tensor : model_tensors(plan_model(config), tensor_layout(checkpoint))) {
    if (tensor.role != WeightRole::kEmbedding) continue;
    const auto stored = checkpoint.tensor(tensor.expected.name, tensor.expected.shape);
    return stored && stored->dtype == Dtype::kF32 ? ElementType::kF32 : ElementType::kBf16;
  }
  return ElementType::kF32;
}

std::optional<ElementType> named_weight_type(std::string_view name) {
  if (name == "auto") return std::nullopt;
  return name == "f32" ? ElementType::kF32 : ElementType::kBf16;
}

Result<LoadedModel> LoadedModel::load(const ModelFolder& folder, const LoadOptions& options) {
  LoadedModel model;
  model.config_ = std::make_unique<ModelConfig>(folder.config);
  CpuOptions machine;
  machine.weight_type = options.weights.value_or(stored_weight_type(folder.checkpoint, folder.config));
  machine.threads = options.threads > 0 ? options.threads
                                        : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  CpuKernels cpu = make_cpu_kernels(machine);
  if (cpu.kernels == nullptr) return Error{cpu.error};
  model.kernels_ = std::move(cpu.kernels);
  const auto blocks = static_cast<std::size_t>(options.kv_blocks);
  const auto block_tokens = static_cast<std::size_t>(options.block_tokens);
  auto decoder = Decoder::load(folder.checkpoint, folder.config, *model.kernels_,
                               {.max_rows = static_cast<std::size_t>(options.max_rows),
                                .max_logit_rows = static_cast<std::size_t>(options.max_logit_rows),
                                .kept_layers = options.kept_layers,
                                .kv_tokens = blocks * block_tokens});
  if (!decoder) return decoder.error();
  model.decoder_ = std::make_unique<Decoder>(*std::move(decoder));
  auto cache = KvCache::make(model.decoder_->plan(), blocks, block_tokens, *model.kernels_);
  if (!cache) return cache.error();
  model.cache_ = std::make_unique<KvCache>(*std::move(cache));
  model.target_ = std::make_unique<DecoderTarget>(*model.decoder_, *model.cache_);
  return model;
}

}  // namespace dspark
