#pragma once

#include "executor/model/target_model.h"
#include "kernels/kernels.h"

namespace dspark {

/// Seconds of a step of one request with one row and without context: the median of three, of more where
/// they are short (up to 25, while 20 ms have not passed). The same step every time, so what differs is the
/// computer. It overwrites the first KV block.
double baseline_step_seconds(Kernels& kernels, TargetModel& target, int block_tokens);

}  // namespace dspark
