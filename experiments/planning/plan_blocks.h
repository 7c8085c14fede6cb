#pragma once

#include "experiments/planning/plan_file.h"

namespace dspark {

/// The blocks of a plan file; errors go to the parameters.
void read_traffic(Parameters& top, PlanFile& file, const FileLoader& loader);
void read_promise(Parameters& top, PlanFile& file);
void read_candidates(Parameters& top, PlanFile& file);
void read_expectations(Parameters& top, PlanFile& file);

Value poisson_arrivals(double rate);
/// Users who never think: a machine that never waits for requests.
Value saturating_arrivals(int users);
/// The plan's trace, sped up to `peak` requests/s and thinned at random to `load` of them.
Value thinned_trace(const PlanFile& file, double peak, double load);

}  // namespace dspark
