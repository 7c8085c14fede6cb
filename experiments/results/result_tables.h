#pragma once

#include "experiments/results/result_file.h"
#include "experiments/schema/experiment.h"
#include "experiments/sweep/runner.h"

namespace dspark {

/// Everything that goes into the result file (docs/results.md), from a finished sweep. A function of its
/// arguments alone: no clock, no order of threads.
ResultFile build_result(const Experiment& experiment, const SweepResults& results);

}  // namespace dspark
