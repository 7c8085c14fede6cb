#pragma once

#include <span>

#include "policies/error.h"
#include "sim/acceptance/position_effects.h"

namespace dspark {

/// How acceptance hangs together along real text, measured over back-to-back rounds at one depth
/// (acceptance_llama31_8b.csv): both of the first draft position.
struct TextStructure {
  double between_request_sd = 0;  // spread of the requests' own acceptance, binomial noise removed; 0 .. 0.5
  double round_correlation =
      0;  // of "first draft accepted" between consecutive rounds, over all requests; -1 .. 1
};

struct SolvedStructure {
  LatentSpread spread;
  SolvedDomain domain;
  TextStructure reached;  // by the solution; a residual where this latent cannot show what was wanted
};

/// The structure that the rounds of a settled law show; requests weigh equally.
TextStructure structure_of(const RoundLaw& law);

/// Solves between-request and text share so that rounds show `wanted`, beside survival and AUC as
/// solve_position_effects does; comes as near as it can where the shares reach 0 or add up to 1. Conditional
/// acceptance that rises with position needs nothing of its own: it is in `survival`. Remembered for the life
/// of the program; thread-safe. Fails where solve_position_effects does.
Result<SolvedStructure> solve_text_structure(std::span<const double> survival, double auc,
                                             const TextStructure& wanted, int text_correlation_tokens);

}  // namespace dspark
