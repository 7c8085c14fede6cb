#pragma once

#include <string>
#include <vector>

namespace dspark {

/// A published survival table that experiments can name: `target/drafter/domain`.
struct SurvivalPreset {
  std::string name;
  std::vector<double> conditional;  // acceptance by position, given that all earlier positions were accepted
  std::string source;
};

/// DSpark paper (arXiv 2607.05147), figure 2: Qwen3-4B with DSpark, DFlash and EAGLE-3 on math, code and
/// chat, temperature 1, γ 7; read off the figure to about 0.004.
const std::vector<SurvivalPreset>& survival_presets();

/// Unconditional survival, the running product of `conditional`.
std::vector<double> survival_of(const std::vector<double>& conditional);

}  // namespace dspark
