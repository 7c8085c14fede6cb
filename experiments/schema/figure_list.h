#pragma once

#include <string>

#include "policies/parameters.h"

namespace dspark {

/// Validates `figures:` (names, or `{metric_by_load: NAME}` and the like) and gives it as a JSON list, which
/// experiments/figures/plot.py reads from the result file; "[]" where absent.
std::string read_figures(const Value* figures, Errors& errors);

}  // namespace dspark
