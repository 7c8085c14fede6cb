#include "experiments/profile/profile_facts.h"

#include <fmt/format.h>

#include <fstream>

namespace dspark {
namespace {

std::string family_name(ModelFamily family) {
  switch (family) {
    case ModelFamily::kQwen3:
      return "qwen3";
    case ModelFamily::kLlama:
      return "llama";
    case ModelFamily::kGemma3:
      return "gemma3";
    case ModelFamily::kGemma4:
      return "gemma4";
  }
  return {};
}

}  // namespace

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return {};
}

std::vector<std::pair<std::string, std::string>> ProfileFacts::named() const {
  const auto text = [](int value) { return fmt::format("{}", value); };
  return {{"dspark_version", version},
          {"cpu", cpu},
          {"machine", machine},
          {"cores", text(cores)},
          {"threads", text(threads)},
          {"weights", weights},
          {"temperature", fmt::format("{:g}", temperature)},
          {"model", model},
          {"architecture", family_name(config.family)},
          {"layers", text(config.layers)},
          {"hidden_size", text(config.hidden_size)},
          {"intermediate_size", text(config.intermediate_size)},
          {"heads", text(config.heads)},
          {"kv_heads", text(config.kv_heads)},
          {"head_dim", text(config.head_dim)},
          {"vocab_size", text(config.vocab_size)},
          {"drafter", drafter.what},
          {"block_size", text(drafter.is_none() ? 0 : drafter.block_size)},
          {"kv_blocks", text(kv_blocks)},
          {"block_tokens", text(block_tokens)}};
}

}  // namespace dspark
