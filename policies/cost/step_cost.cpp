#include "policies/cost/step_cost.h"

namespace dspark {

void StepCost::verify_seconds(int requests, int rows, CostForm form, std::span<double> seconds) const {
  if (parts_.verify_table) {
    for (double& second : seconds) second = parts_.verify_table->seconds(rows++, form);
    return;
  }
  const AffineCost affine = parts_.verify_affine;
  const double before_rows = affine.bias_seconds + affine.seconds_per_request * requests;
  double* out = seconds.data();
  const int count = static_cast<int>(seconds.size());
  for (int i = 0; i < count; ++i) out[i] = before_rows + affine.seconds_per_token * (rows + i);
}

double StepCost::draft_seconds(int drafting, int steps) const {
  if (drafting == 0 || steps == 0 || !parts_.draft_table) return 0;
  const double once = parts_.draft_table->seconds(drafting);
  if (parts_.sequential_drafter) return once * steps;
  if (parts_.draft_block_size <= 1) return once;
  const double grown = static_cast<double>(steps - 1) / (parts_.draft_block_size - 1);
  return once * (parts_.one_token_share + (1 - parts_.one_token_share) * grown);
}

}  // namespace dspark
