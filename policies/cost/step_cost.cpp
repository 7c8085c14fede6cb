#include "policies/cost/step_cost.h"

namespace dspark {

double StepCost::draft_seconds(int drafting, int steps) const {
  if (drafting == 0 || steps == 0 || !parts_.draft_table) return 0;
  const double once = parts_.draft_table->seconds(drafting);
  return parts_.sequential_drafter ? once * steps : once;
}

}  // namespace dspark
