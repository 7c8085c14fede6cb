#pragma once

#include <string>
#include <vector>

#include "policies/calibration/rounds.h"
#include "policies/error.h"

namespace dspark {

/// Calibrations that learn online and need no parameters, by their names in an experiment's `confidence`.
const std::vector<std::string>& learned_confidences();

/// The recorded rounds with the confidences that policies would have seen, had the calibration `name` learned
/// while they were served: in the file's order, eight rounds a step, each shown before it is learned from.
/// Errors: a name that is not among those above; a signal that it reads and the recording lacks.
Result<Rounds> with_learned_confidence(Rounds rounds, const std::string& name);

}  // namespace dspark
