#pragma once

#include <string>
#include <vector>

#include "policies/parameters.h"
#include "sim/scenario.h"

namespace dspark {

/// Reads one way to say how drafts fare: `survival` (a table), `preset` (a published one) or
/// `accepted_lengths` (the nearest curve to published mean lengths; each length goes to `fits` with what the
/// curve gives, `name` behind it). Empty after an error. `block_size`: γ, or 0 where it is as long as the
/// curve.
std::vector<double> read_survival(Parameters& group, int block_size, const std::string& name,
                                  std::vector<FitLine>& fits);

/// The curves that `preset` knows, for listings.
std::vector<std::string> survival_preset_names();

}  // namespace dspark
