#pragma once

#include <string>
#include <vector>

#include "experiments/surface/solution_check.h"
#include "sim/demand/rebound.h"

namespace dspark {

/// The answer for people: what is saved, where it goes, what it rests on.
std::string equilibrium_text(const Market& market, const ReboundReport& report);
/// The same as JSON, one object; numbers that are not there are null.
std::string equilibrium_json(const Market& market, const ReboundReport& report,
                             const SolutionCheck* check = nullptr);
/// Where supply is simulated: what its surfaces say, and whether a fresh simulation agrees. nullptr: none was
/// made.
std::string simulated_supply_text(const Market& market, const SolutionCheck* check);

/// What the search for fixed points found, in one sentence each line.
std::string existence_text(const Equilibria& equilibria);
/// Every number that a result rests on, with its source, or called an assumption; `more` are those that the
/// market does not know of.
std::string assumptions_text(const Market& market, const std::vector<Assumption>& more);
/// "hold_speed", as files write it.
std::string operator_name(const OperatingRule& rule);

}  // namespace dspark
