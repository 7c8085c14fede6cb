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
  return parts_.sequential_drafter ? once * steps : once;
}

}  // namespace dspark
