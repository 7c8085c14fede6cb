#include "executor/model/model_memory.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "executor/model/decoder.h"
#include "tests/executor/checkpoint/model_folder.h"
#include "tests/executor/model/decoder_steps.h"

namespace dspark {
namespace {

/// A system of these files.
struct System : ModelFolder {
  void put(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories(std::filesystem::path(file(name)).parent_path());
    write(name, content);
  }
};

TEST(ModelMemory, IsPredictedAsItIsTaken) {
  for (const char* name : {"qwen3_window_bias_yarn", "gemma4_per_layer_shared", "gemma4_keys_are_values"})
    for (const ElementType type : {ElementType::kF32, ElementType::kBf16}) {
      DecoderSteps steps(name, type);
      const ModelPlan& plan = steps.decoder().plan();
      const ModelUse use{.weight_type = type,
                         .cache_type = steps.kernels().cache_type(),
                         .max_rows = 96,
                         .max_logit_rows = 96,
                         .kept_layers = plan.layers.size() + 1,
                         .kv_tokens = DecoderSteps::kBlocks * DecoderSteps::kBlockTokens};
      const ModelMemory memory = predict_memory(plan, use);
      EXPECT_EQ(memory.weights, steps.decoder().weights().bytes()) << name;
      EXPECT_EQ(memory.kv_cache, steps.cache().bytes()) << name;
      EXPECT_NEAR(static_cast<double>(memory.step_buffers),
                  static_cast<double>(steps.decoder().buffer_bytes()),
                  64.0 * static_cast<double>(LayerBuffers::kNames))
          << name;
    }
}

TEST(ModelMemory, WhatDoesNotFitIsRefusedBeforeItIsLoaded) {
  const auto kernels = kernels_of(ElementType::kBf16);
  DecoderOptions options{.max_rows = 1 << 10, .max_logit_rows = 256, .kept_layers = {}, .kv_tokens = 1 << 20};
  options.memory = AvailableMemory{100 << 20, "MemAvailable of /proc/meminfo"};
  const auto decoder = Decoder::load(model_data() + "llama_tied_llama3", *kernels, options);
  ASSERT_FALSE(decoder);
  EXPECT_EQ(
      to_string(decoder.error()),
      "the model needs 289.6 MiB: 0.1 MiB for weights, 288.0 MiB for keys and values of 1048576 tokens, "
      "1.5 MiB for steps of 1024 rows; 100.0 MiB are available (MemAvailable of /proc/meminfo)");
  options.memory = std::nullopt;
  EXPECT_TRUE(Decoder::load(model_data() + "llama_tied_llama3", *kernels, options));
}

TEST(ModelMemory, AvailableIsTheLeastOfTheSystemAndItsControlGroups) {
  const System system;
  EXPECT_FALSE(available_memory(system.path()));
  system.put("proc/meminfo", "MemTotal:       16000 kB\nMemAvailable:    8000 kB\n");
  EXPECT_EQ(available_memory(system.path())->bytes, 8000u * 1024);
  EXPECT_EQ(available_memory(system.path())->source, "MemAvailable of /proc/meminfo");

  system.put("proc/self/cgroup", "0::/user/run\n");
  system.put("sys/fs/cgroup/user/run/memory.max", "max\n");
  system.put("sys/fs/cgroup/user/run/memory.current", "1000\n");
  EXPECT_EQ(available_memory(system.path())->bytes, 8000u * 1024) << "no limit";
  system.put("sys/fs/cgroup/user/memory.max", "5000\n");
  system.put("sys/fs/cgroup/user/memory.current", "3000\n");
  system.put("sys/fs/cgroup/user/memory.stat", "anon 1000\ninactive_file 500\n");
  EXPECT_EQ(available_memory(system.path())->bytes, 2500u)
      << "of the group above; a file cache can be dropped";
  EXPECT_EQ(available_memory(system.path())->source, "memory.max of the control group");
  system.put("sys/fs/cgroup/user/memory.current", "7000\n");
  EXPECT_EQ(available_memory(system.path())->bytes, 0u);

  system.put("proc/self/cgroup", "5:cpu:/\n4:memory:/\n");
  system.put("sys/fs/cgroup/memory/memory.limit_in_bytes", "4000\n");
  system.put("sys/fs/cgroup/memory/memory.usage_in_bytes", "1000\n");
  EXPECT_EQ(available_memory(system.path())->bytes, 3000u);
  EXPECT_EQ(available_memory(system.path())->source, "memory.limit_in_bytes of the control group");
}

TEST(ModelMemory, OfThisSystemIsKnown) { EXPECT_GT(available_memory()->bytes, 0u); }

}  // namespace
}  // namespace dspark
