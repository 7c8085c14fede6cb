#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/acceptance/text_structure.h"

namespace dspark {

/// A published survival table that experiments can name: `target/drafter/domain`.
struct SurvivalPreset {
  std::string name;
  std::vector<double> conditional;  // acceptance by position, given that all earlier positions were accepted
  std::string source;
  std::optional<TextStructure> structure = {};  // where it was measured along the text too
};

/// DSpark paper (arXiv 2607.05147), figure 2: Qwen3-4B with DSpark, DFlash and EAGLE-3 on math, code and
/// chat, temperature 1, γ 7; read off the figure to about 0.004. SpecDecode-Bench (arXiv 2601.11580):
/// Llama-3.1-8B with EAGLE-3 and n-gram drafts on four datasets, greedy, at most 7 drafts, with their
/// structure.
const std::vector<SurvivalPreset>& survival_presets();

/// Unconditional survival, the running product of `conditional`.
std::vector<double> survival_of(const std::vector<double>& conditional);

}  // namespace dspark
