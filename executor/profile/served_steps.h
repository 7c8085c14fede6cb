#pragma once

#include <vector>

#include "executor/drafter/drafter.h"
#include "executor/model/target_model.h"
#include "kernels/kernels.h"
#include "policies/error.h"

namespace dspark {

/// Requests that the engine serves together until enough steps have been seen.
struct ServedLoad {
  int requests = 1;
  int planned = 0;         // draft tokens that each plans, 0 .. the drafter's block size
  int steps = 4;           // with all requests decoding, whole blocks planned, and no prompt
  int prompt_tokens = 32;  // drawn at random; from 1
  int kv_blocks = 0;
  int block_tokens = 16;
  int max_rows = 0;       // of one step
  float temperature = 0;  // of the requests
};

/// KV blocks that such a load takes.
int served_blocks(const ServedLoad& load);

/// One such step.
struct ServedStep {
  double draft = 0;   // seconds by the runner: drafting, and what the drafter learns of the step
  double verify = 0;  // seconds by the runner: packing, forward pass, acceptance
  double bare = 0;    // of verify: seconds outside the forward pass and the choice of likeliest tokens; known
                      // at temperature 0
};

struct ServedSteps {
  std::vector<ServedStep> steps;
  double engine_seconds = 0;  // per step, outside the runner: not on the engine's clock
};

/// Serves the load by the engine; every request drafts `planned` tokens, all are verified. drafter:
/// may be null, and planned is 0 then. It forgets the requests at the end. The load fits: served_blocks, and
/// requests · (1 + planned) rows.
ServedSteps serve_steps(Kernels& kernels, TargetModel& target, Drafter* drafter, const ServedLoad& load);

}  // namespace dspark
