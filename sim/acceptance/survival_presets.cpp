#include "sim/acceptance/survival_presets.h"

namespace dspark {

const std::vector<SurvivalPreset>& survival_presets() {
  static const std::string source = "DSpark paper (arXiv 2607.05147), figure 2";
  static const std::vector<SurvivalPreset> presets = {
      {"qwen3-4b/dspark/math", {0.906, 0.891, 0.888, 0.886, 0.888, 0.891, 0.883}, source},
      {"qwen3-4b/dspark/code", {0.886, 0.872, 0.860, 0.861, 0.858, 0.860, 0.851}, source},
      {"qwen3-4b/dspark/chat", {0.736, 0.738, 0.740, 0.744, 0.758, 0.765, 0.760}, source},
      {"qwen3-4b/dflash/math", {0.886, 0.828, 0.820, 0.834, 0.842, 0.839, 0.828}, source},
      {"qwen3-4b/dflash/code", {0.866, 0.814, 0.797, 0.801, 0.809, 0.801, 0.777}, source},
      {"qwen3-4b/dflash/chat", {0.720, 0.648, 0.638, 0.660, 0.682, 0.692, 0.688}, source},
      {"qwen3-4b/eagle3/math", {0.811, 0.824, 0.838, 0.845, 0.851, 0.856, 0.850}, source},
      {"qwen3-4b/eagle3/code", {0.771, 0.774, 0.781, 0.791, 0.787, 0.794, 0.784}, source},
      {"qwen3-4b/eagle3/chat", {0.533, 0.589, 0.642, 0.678, 0.709, 0.729, 0.733}, source},
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
