#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policies/parameters.h"
#include "sim/acceptance/acceptance_model.h"
#include "sim/scenario.h"

namespace dspark {

/// Reads the group `rounds` of the block `acceptance`: recorded rounds to replay (RecordedAcceptance). The
/// points of a sweep that name the same content share one model. Errors go to `parent`; then, and while
/// describing, it returns nullptr.
std::shared_ptr<const AcceptanceModel> read_recorded_acceptance(Parameters& parent,
                                                                const std::vector<std::string>& domains,
                                                                std::vector<FitLine>& fits);

}  // namespace dspark
