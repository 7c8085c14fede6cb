#pragma once

#include <optional>
#include <span>
#include <vector>

#include "policies/cost/step_cost.h"
#include "policies/error.h"
#include "sim/recording/run_recording.h"

namespace dspark {

/// Recorded steps as a modelled machine's price.
struct FittedSteps {
  AffineCost verify = {};                    // by decoding requests and rows; the constant and the rows' > 0
  std::vector<CostTable::Point> draft = {};  // whole blocks by drafting requests; never falling; may be empty
  double overhead_seconds = 0;               // median
  double median_residual = 0;                // of |verify measured / fitted - 1|
  double worst_residual = 0;
};

/// Verification by least squares of relative errors, no term negative; drafting by the median of the steps
/// with so many drafting requests. Errors: no step took time to verify, or none has rows.
Result<FittedSteps> fit_steps(std::span<const RecordedStep> steps);

}  // namespace dspark
