#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "executor/drafter/drafter_choice.h"
#include "executor/generation/loaded_model.h"
#include "policies/cost/step_cost.h"
#include "policies/parameters.h"
#include "sim/acceptance/acceptance_model.h"
#include "sim/scenario.h"

namespace dspark {

/// What the block `machine.executor` says.
struct ExecutorParameters {
  std::string target;  // a folder
  DrafterChoice drafter;
  std::vector<std::string> prompts;  // text files: none: random tokens; one; or one for each of the domains
  bool prompts_by_line = false;
  LoadOptions load;
  std::optional<StepCost> belief;                 // measured unless it is given
  std::shared_ptr<const AcceptanceModel> forced;  // null: target and drafter say how drafts fare
  std::vector<FitLine> fits;                      // of `forced`
};

/// Reads it. Paths are relative to `folder`, "" being the working folder; `domains`: names of the workload's.
/// Models are not looked at. Errors go to the parameters; then, and while describing, there is nothing.
std::optional<ExecutorParameters> read_executor_parameters(Parameters& parameters, const std::string& folder,
                                                           const std::vector<std::string>& domains);

}  // namespace dspark
