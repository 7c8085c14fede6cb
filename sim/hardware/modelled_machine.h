#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policies/cost/step_cost.h"
#include "policies/parameters.h"
#include "sim/acceptance/acceptance_model.h"
#include "sim/scenario.h"

namespace dspark {

/// A machine described by numbers: step costs, KV memory and how drafts fare on it. Immutable, shared by
/// threads.
struct ModelledMachine {
  StepCost cost;
  int kv_blocks = 0;
  int block_tokens = 0;
  std::shared_ptr<const AcceptanceModel> acceptance;
  std::vector<FitLine> fits;
};

/// Reads the block `machine.modelled`. `domains`: names of the workload's domains, whose acceptance is needed
/// in this order; empty where the workload has none. Errors go to `parameters`; then the acceptance may be
/// null.
ModelledMachine read_modelled_machine(Parameters& parameters, const std::vector<std::string>& domains);

}  // namespace dspark
