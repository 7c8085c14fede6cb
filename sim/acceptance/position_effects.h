#pragma once

#include <span>
#include <vector>

#include "policies/error.h"
#include "sim/acceptance/latent_acceptance.h"
#include "sim/acceptance/round_law.h"
#include "sim/acceptance/survival_auc.h"

namespace dspark {

/// A domain's latent, and what it yields.
struct SolvedDomain {
  DomainLatent latent;
  std::vector<double> survival;  // (γ) reached by the solution, over back-to-back rounds at depth γ
  double auc = 0;                // likewise
};

/// Solves position effects and deviation so that over back-to-back rounds at depth γ, each starting where the
/// last ended, the mean survival by position equals `survival` (γ values, non-increasing, in (0, 1]), and the
/// AUC of the survival against "the first k were accepted", averaged over the k that at least 0.5 % of rounds
/// reach, equals `auc` (0.5 .. 1). Rounds weigh equally, so a difficult stretch of text counts as often as it
/// is met: at another depth rounds start elsewhere, and the same latent shows another survival. Fixed-point
/// iteration on the law of such rounds (RoundLaw), to 2e-4 in survival and 1e-3 in AUC. Fails where no latent
/// of this kind reaches the two (an AUC that the spread cannot give).
Result<SolvedDomain> solve_position_effects(std::span<const double> survival, double auc,
                                            const LatentSpread& spread);

/// solve_position_effects for one depth and spread, again and again: each solution starts from the one
/// before, the first from `start`, if it has position effects.
class PositionEffectsSolver {
 public:
  PositionEffectsSolver(std::size_t depth, double auc, const LatentSpread& spread, DomainLatent start = {});
  Result<SolvedDomain> solve(std::span<const double> survival);  // (depth)
  const RoundLaw& law() const { return law_; }                   // of the last solution

 private:
  double wanted_auc_;
  DomainLatent latent_;
  RoundLaw law_;
  SurvivalAuc auc_;
};

/// Accepted length (bonus token included) of back-to-back rounds at a depth of its own, 1..γ.
double accepted_length_at_depth(const DomainLatent& latent, const LatentSpread& spread, int depth);

/// The same as solve_position_effects, remembered for the life of the program: the points of a sweep share
/// it. Thread-safe.
Result<SolvedDomain> remembered_position_effects(std::span<const double> survival, double auc,
                                                 const LatentSpread& spread);

}  // namespace dspark
