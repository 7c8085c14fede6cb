#pragma once

#include <string>
#include <utility>
#include <vector>

#include "executor/checkpoint/model_config.h"
#include "executor/drafter/drafter_choice.h"
#include "executor/generation/loaded_model.h"

namespace dspark {

/// What was profiled, and where.
struct ProfileFacts {
  std::string version;  // of this program
  std::string cpu;      // name by the system; empty where it says none
  std::string machine;  // as the kernels describe it: instruction set and threads
  int cores = 0;
  std::string model;   // its folder's name
  std::string target;  // its folder, absolute
  ModelConfig config;
  std::string weights;  // f32 or bf16
  int threads = 0;
  double temperature = 0;  // of the requests whose steps were measured
  DrafterChoice drafter;   // a folder is absolute; the block size is the drafter's own
  bool sequential_drafter = false;
  bool has_confidence_head = false;
  int kv_blocks = 0;
  int block_tokens = 0;

  /// The same as names and values, in a fixed order.
  std::vector<std::pair<std::string, std::string>> named() const;
};

/// "model name" of /proc/cpuinfo.
std::string cpu_name();

}  // namespace dspark
