#pragma once

#include <string>

#include "experiments/planning/planner.h"

namespace dspark {

/// The answer for people: how many GPUs, what they promise, why the others lose.
std::string plan_text(const PlanFile& file, const PlanAnswer& answer);
/// The same as JSON, one object; numbers that are not there are null.
std::string plan_json(const PlanFile& file, const PlanAnswer& answer);

}  // namespace dspark
