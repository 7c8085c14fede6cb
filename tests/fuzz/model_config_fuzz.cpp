#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "executor/checkpoint/model_config.h"
#include "executor/model/model_memory.h"
#include "executor/model/model_plan.h"
#include "executor/model/rope_frequencies.h"
#include "tests/fuzz/expect.h"

/// Any two texts, divided by the first zero byte, are a configuration or an error of one line; what is
/// accepted is within the bounds that its readers rely on, and a plan of the forward pass can be made of it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using dspark::expect;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = text.find('\0');
  const bool two = cut != std::string_view::npos;
  const auto config = dspark::parse_model_config(
      text.substr(0, cut), two ? text.substr(cut + 1) : std::string_view(), "config", "generation");
  if (!config) {
    const std::string message = to_string(config.error());
    expect(!message.empty() && message.find('\n') == std::string::npos, "an error is one line");
    return 0;
  }
  expect(config->layers >= 1 && config->layer_types.size() == static_cast<std::size_t>(config->layers),
         "a type for each layer");
  expect(config->heads >= 1 && config->kv_heads >= 1 && config->heads % config->kv_heads == 0 &&
             config->full_kv_heads >= 1 && config->heads % config->full_kv_heads == 0,
         "heads are a multiple of those of keys and values");
  expect(config->head_dim >= 2 && config->head_dim % 2 == 0 && config->full_head_dim % 2 == 0, "even heads");
  expect(config->hidden_size >= 1 && config->intermediate_size >= 1 && config->vocab_size >= 1,
         "sizes from 1");
  expect(config->attention_scale > 0 && config->rms_norm_eps > 0, "scales above 0");
  for (const dspark::LayerType type : config->layer_types)
    expect(type == dspark::LayerType::kFull || config->sliding_window >= 1, "a sliding layer has its window");
  for (const dspark::Rope& rope : {config->rope, config->sliding_rope})
    expect(rope.theta >= 1 && rope.factor >= 1 && rope.partial > 0 && rope.partial <= 1,
           "positions in range");
  for (const int token : config->end_tokens)
    expect(token >= 0 && token < config->vocab_size, "end tokens are tokens");
  const dspark::ModelPlan plan = dspark::plan_model(*config);
  for (const dspark::LayerPlan& layer : plan.layers) {
    expect(plan.layers[layer.kv_layer].owns_kv && plan.layers[layer.kv_layer].type == layer.type &&
               plan.layers[layer.kv_layer].kv_width() == layer.kv_width(),
           "keys and values are those of a layer of the same kind");
    for (const float inverse : dspark::rope_frequencies(plan.rope(layer.type), layer.head_dim).inverse)
      expect(std::isfinite(inverse) && inverse >= 0, "frequencies are numbers");
  }
  const dspark::ModelMemory memory =
      dspark::predict_memory(plan, {.max_rows = 4096, .max_logit_rows = 256, .kv_tokens = 1 << 20});
  expect(memory.weights > 0 && memory.kv_cache > 0 && memory.total() < std::size_t{1} << 62, "it has a size");
  return 0;
}
