#pragma once

#include <string>
#include <vector>

#include "policies/parameters.h"

namespace dspark {

/// Validates `figures:` (names, or `{metric_by_load: NAME}` and the like) and gives it as a JSON list, which
/// experiments/figures/plot.py reads from the result file; "[]" where absent. `metrics` are those the result
/// will hold: a figure of another is an error now and not after the run.
std::string read_figures(const Value* figures, const std::vector<std::string>& metrics, Errors& errors);

}  // namespace dspark
