#pragma once

#include "policies/cost/step_cost.h"
#include "policies/parameters.h"

namespace dspark {

/// Reads verify_cost, draft_cost, step_overhead_ms, decision_overhead_ms, idle_drafter_tax and drafter. The
/// overhead is left out (0) where `overhead_is_solved`. Tables come from CSV files whose columns are the size
/// (tokens or requests) and milliseconds. Errors go to `parameters`.
StepCost::Parts read_step_cost(Parameters& parameters, bool overhead_is_solved);

}  // namespace dspark
