#pragma once

#include <gtest/gtest.h>

#include <string>

#include "executor/drafter/drafter_folder.h"
#include "tests/executor/drafter/drafted_model.h"
#include "tests/executor/model/spoilt_model.h"

namespace dspark {

/// A drafter of the tiny target, to be spoilt and opened.
class SpoiltDrafter : public SpoiltModel {
 public:
  explicit SpoiltDrafter(const std::string& name) : SpoiltModel(drafter_data() + name) {}

  /// What opening it says. Refusals that config.json shows are known before the target is loaded.
  std::string error(const DrafterOptions& options = {.max_requests = 2, .kv_tokens = 64}) const {
    const ModelFolder folder;
    write(folder);
    const auto of_target = *read_model_config(model_data() + "qwen3_tied");
    const auto kernels = kernels_of(ElementType::kF32);
    const auto target = Decoder::load(model_data() + "qwen3_tied", *kernels,
                                      {.max_rows = 8, .max_logit_rows = 8, .kept_layers = {}});
    const auto drafter = open_drafter(folder.path(), {of_target, target->weights()}, *kernels, options);
    const auto layers = drafter_target_layers(folder.path(), of_target);
    if (!layers) {
      EXPECT_EQ(to_string(layers.error()), to_string(drafter.error()));
    }
    return without_path(drafter ? "" : to_string(drafter.error()), folder.path());
  }
  SpoiltDrafter& with(const std::string& old, const std::string& now) {
    const std::size_t at = config.find(old);
    EXPECT_NE(at, std::string::npos) << old;
    if (at != std::string::npos) config.replace(at, old.size(), now);
    return *this;
  }
};

/// What is said of a drafter with one change in its config.json.
inline std::string of_config(const std::string& name, const std::string& old, const std::string& now) {
  return SpoiltDrafter(name).with(old, now).error();
}

}  // namespace dspark
