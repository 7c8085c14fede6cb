#pragma once

#include <cstddef>
#include <vector>

#include "executor/checkpoint/model_config.h"

namespace dspark {

/// How the pairs of a head turn with the position.
struct RopeFrequencies {
  std::vector<float> inverse;  // (head_dim / 2), radians per position; 0: the pair stays
  float scale = 1;             // of cosine and sine
};

/// Of a head of `head_dim` numbers, even. Computed in double and rounded once. Formulas: `transformers`,
/// modeling_rope_utils.py, types default, linear, llama3, yarn (Peng 2023, truncated range) and proportional.
RopeFrequencies rope_frequencies(const Rope& rope, std::size_t head_dim);

}  // namespace dspark
