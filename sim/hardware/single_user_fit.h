#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policies/cost/step_cost.h"
#include "policies/error.h"
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
  std::vector<double> survival;  // (block_size)
  std::vector<FitLine> lines;    // what was solved, interpolated, extrapolated, fitted and predicted
};

/// Reads columns policy (`none`, `k1`, `k3`, …), concurrency (1) and user_tokens_per_s; `fitted` names the rows to fit.
Result<std::vector<SingleUserSpeed>> read_single_user_speeds(const CsvTable& table,
                                                             const std::vector<std::string>& fitted);

/// Solves the step overhead and the survival by position from speeds of one user and measured step costs.
///
/// With one user a round of k draft tokens takes T_k = draft(1) + verify(1 + k) + overhead and yields
/// τ_k = speed · T_k = 1 + S_1 + … + S_k tokens (REFERENCE.md 1). The speed without speculation gives the overhead; the
/// fitted k give sums of survivals. Between two fitted k the log survival is linear in position, and past the last one
/// it goes on with the last slope: only a sum over a single position identifies that position's survival, the others
/// are listed as interpolated or extrapolated. Fails, naming the k, where no non-increasing survival gives the sums.
Result<SingleUserFit> fit_single_user(const std::vector<SingleUserSpeed>& speeds, const StepCost& cost_without_overhead,
                                      int block_size);

}  // namespace dspark
