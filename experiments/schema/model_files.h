#pragma once

#include <optional>

#include "experiments/schema/experiment.h"

namespace dspark {

/// Makes the digests of an experiment and of its measured points depend on every byte of the models, drafters
/// and prompts that they name, so that a model swapped in its folder is not taken for the one before. Called
/// once, before anything is run or compared; reads each file once, in pieces. `dspark check` does without.
/// Nothing changes where no point is measured. Errors: a file that cannot be read.
std::optional<Error> include_model_files(Experiment& experiment);

}  // namespace dspark
