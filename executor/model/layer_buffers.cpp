#include "executor/model/layer_buffers.h"

#include <utility>

namespace dspark {
namespace {

std::size_t pairs(const ModelPlan& plan, LayerType type) {
  return plan.widest([&](const LayerPlan& layer) { return layer.type == type ? layer.head_dim / 2 : 0; });
}

}  // namespace

std::vector<std::size_t> LayerBuffers::numbers(const ModelPlan& plan, std::size_t max_rows,
                                               std::size_t max_logit_rows, std::size_t kept_layers) {
  const std::size_t queries = plan.widest([](const LayerPlan& layer) { return layer.query_width(); });
  const std::size_t keys = plan.widest([](const LayerPlan& layer) { return layer.kv_width(); });
  const std::size_t intermediate = plan.widest([](const LayerPlan& layer) { return layer.intermediate; });
  const std::size_t all_layers = plan.layers.size() * plan.per_layer_width;
  std::vector<std::size_t> numbers(kNames);
  const auto rows_of = [&](Name name, std::size_t width) { numbers[name] = max_rows * width; };
  const bool features = plan.features != FeatureUse::kNone;
  for (const Name name : {kStream, kBranch, kHidden}) rows_of(name, plan.hidden);
  rows_of(kNormed, features ? 2 * plan.hidden : plan.hidden);
  rows_of(kEmbedded, features ? plan.hidden : 0);
  for (const Name name : {kQueries, kAttended}) rows_of(name, queries);
  for (const Name name : {kKeys, kValues}) rows_of(name, keys);
  for (const Name name : {kGate, kUp}) rows_of(name, intermediate);
  for (const Name name : {kFullCosine, kFullSine}) rows_of(name, pairs(plan, LayerType::kFull));
  for (const Name name : {kSlidingCosine, kSlidingSine}) rows_of(name, pairs(plan, LayerType::kSliding));
  for (const Name name : {kPerLayer, kPerLayerModel}) rows_of(name, all_layers);
  for (const Name name : {kPerLayerInput, kPerLayerGate}) rows_of(name, plan.per_layer_width);
  rows_of(kKept, kept_layers * plan.hidden);
  numbers[kLogitRows] = max_logit_rows * plan.hidden;
  numbers[kLogits] = max_logit_rows * plan.logits();
  return numbers;
}

std::optional<LayerBuffers> LayerBuffers::make(const ModelPlan& plan, std::size_t max_rows,
                                               std::size_t max_logit_rows, std::size_t kept_layers,
                                               Kernels& kernels) {
  LayerBuffers buffers;
  buffers.max_rows_ = max_rows;
  for (const std::size_t count : numbers(plan, max_rows, max_logit_rows, kept_layers)) {
    auto buffer = kernels.allocate((count == 0 ? 1 : count) * sizeof(float));
    if (buffer == nullptr) return std::nullopt;
    buffers.buffers_.push_back(std::move(buffer));
  }
  return buffers;
}

std::size_t LayerBuffers::bytes() const {
  std::size_t sum = 0;
  for (const auto& buffer : buffers_) sum += buffer->bytes();
  return sum;
}

}  // namespace dspark
