#pragma once

#include <string>
#include <vector>

#include "policies/cost/step_cost.h"
#include "policies/error.h"
#include "sim/acceptance/accepted_lengths.h"
#include "sim/acceptance/position_effects.h"
#include "sim/scenario.h"
#include "sim/table/csv.h"

namespace dspark {

/// A published speed of one user: k draft tokens per round, 0 without speculation.
struct SingleUserSpeed {
  int k = 0;
  double tokens_per_second = 0;
  bool fitted = true;  // false: predicted, and the miss is reported
};

struct SingleUserFit {
  double overhead_seconds = 0;   // constant per step, solved from the speed without speculation
  std::vector<double> survival;  // (block_size) over back-to-back rounds at depth block_size
  SolvedDomain domain;           // the latent that shows it
  std::vector<FitLine> lines;    // what was solved, interpolated, extrapolated, fitted and predicted
};

/// Reads columns policy (`none`, `k1`, `k3`, …), concurrency (1) and user_tokens_per_s; `fitted` names the
/// rows to fit.
Result<std::vector<SingleUserSpeed>> read_single_user_speeds(const CsvTable& table,
                                                             const std::vector<std::string>& fitted);

/// Solves the step overhead and the acceptance by position from speeds of one user and measured step costs.
///
/// With one user a round of k draft tokens takes T_k = draft(1) + verify(1 + k) + overhead and yields
/// τ_k = speed · T_k tokens (REFERENCE.md 1). The speed without speculation gives the overhead, each fitted k
/// its τ_k. Each was measured in rounds of its own depth, and difficulty is correlated along a text: deep
/// rounds mostly start right after a rejection, where text is hard, shallow ones less. So the latent is
/// solved until back-to-back rounds at each fitted depth show its τ_k (to 0.002), with survival at depth
/// block_size from nearest_survival. Speeds that no acceptance has are met as nearly as one can; the miss is
/// in `lines`. Remembered for the life of the program; thread-safe.
Result<SingleUserFit> fit_single_user(const std::vector<SingleUserSpeed>& speeds,
                                      const StepCost& cost_without_overhead, int block_size, double auc,
                                      const LatentSpread& spread);

}  // namespace dspark
