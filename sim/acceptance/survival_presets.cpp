#include "sim/acceptance/survival_presets.h"

namespace dspark {

const std::vector<SurvivalPreset>& survival_presets() {
  static const std::string source = "DSpark paper (arXiv 2607.05147), figure 2";
  static const std::string bench = "SpecDecode-Bench (arXiv 2601.11580), greedy, derived by request";
  static const std::vector<SurvivalPreset> presets = {
      {"qwen3-4b/dspark/math", {0.906, 0.891, 0.888, 0.886, 0.888, 0.891, 0.883}, source, {}},
      {"qwen3-4b/dspark/code", {0.886, 0.872, 0.860, 0.861, 0.858, 0.860, 0.851}, source, {}},
      {"qwen3-4b/dspark/chat", {0.736, 0.738, 0.740, 0.744, 0.758, 0.765, 0.760}, source, {}},
      {"qwen3-4b/dflash/math", {0.886, 0.828, 0.820, 0.834, 0.842, 0.839, 0.828}, source, {}},
      {"qwen3-4b/dflash/code", {0.866, 0.814, 0.797, 0.801, 0.809, 0.801, 0.777}, source, {}},
      {"qwen3-4b/dflash/chat", {0.720, 0.648, 0.638, 0.660, 0.682, 0.692, 0.688}, source, {}},
      {"qwen3-4b/eagle3/math", {0.811, 0.824, 0.838, 0.845, 0.851, 0.856, 0.850}, source, {}},
      {"qwen3-4b/eagle3/code", {0.771, 0.774, 0.781, 0.791, 0.787, 0.794, 0.784}, source, {}},
      {"qwen3-4b/eagle3/chat", {0.533, 0.589, 0.642, 0.678, 0.709, 0.729, 0.733}, source, {}},
      {"llama31-8b/eagle/gsm8k",
       {0.6628, 0.6451, 0.6333, 0.6532, 0.6208, 0.6492, 0.6501},
       bench,
       TextStructure{0.0426, 0.0596}},
      {"llama31-8b/ngram/gsm8k",
       {0.0747, 0.5624, 0.5971, 0.6361, 0.7103, 0.6967, 0.7147},
       bench,
       TextStructure{0.0192, 0.0536}},
      {"llama31-8b/eagle/sharegpt",
       {0.5972, 0.5862, 0.638, 0.6862, 0.7276, 0.751, 0.7547},
       bench,
       TextStructure{0.0968, 0.1525}},
      {"llama31-8b/ngram/sharegpt",
       {0.1174, 0.7644, 0.7906, 0.8533, 0.8698, 0.8815, 0.8963},
       bench,
       TextStructure{0.093, 0.4012}},
      {"llama31-8b/eagle/instructcoder",
       {0.5938, 0.6272, 0.6853, 0.7412, 0.7643, 0.8001, 0.783},
       bench,
       TextStructure{0.0872, 0.2278}},
      {"llama31-8b/ngram/instructcoder",
       {0.2636, 0.8784, 0.9238, 0.9418, 0.9389, 0.9634, 0.9254},
       bench,
       TextStructure{0.1362, 0.6012}},
      {"llama31-8b/eagle/cnn",
       {0.6303, 0.6235, 0.6398, 0.6602, 0.6792, 0.7246, 0.7214},
       bench,
       TextStructure{0.0462, 0.0677}},
      {"llama31-8b/ngram/cnn",
       {0.1129, 0.7189, 0.7549, 0.7824, 0.7982, 0.8082, 0.8224},
       bench,
       TextStructure{0.0389, 0.0915}},
  };
  return presets;
}

std::vector<double> survival_of(const std::vector<double>& conditional) {
  std::vector<double> survival;
  double product = 1;
  for (const double c : conditional) survival.push_back(product *= c);
  return survival;
}

}  // namespace dspark
