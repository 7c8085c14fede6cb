#include "experiments/surface/solution_check.h"

#include <algorithm>
#include <cmath>

namespace dspark {

CheckedValue compared(const ResponseSurface& surface, const SurfacePoint& fresh, SurfaceColumn column) {
  const Estimate& e = fresh.columns[column];
  return {surface.at(column, fresh.load), surface.error(column, fresh.load), e.mean, e.standard_error};
}

double CheckedValue::in_errors() const {
  const double error = std::hypot(surface_error.total(), simulated_error);
  return error > 0 ? (simulated - surface) / error : 0;
}

CheckOutcome check_solution(const Market& market, const ReboundReport& report, const SurfaceBuilder& builder,
                            Errors& errors) {
  CheckOutcome outcome;
  const auto* supply = dynamic_cast<const SimulatedSupply*>(market.after.get());
  if (supply == nullptr || !market.measured || !report.end) return outcome;
  const SurfaceRequest& request = market.measured->request;
  const ResponseSurface& surface = supply->surface();
  SolutionCheck check;
  check.unit = surface.unit();
  check.load_at_end = supply->load_per_replica(report.end->state.load, market.rule);
  check.load = std::clamp(check.load_at_end, surface.least_load(), surface.largest_load());
  if (request.load == "users") check.load = std::round(check.load);
  const auto fresh = fresh_experiment(request, builder.path_of(request), request.after, {check.load}, errors);
  if (!fresh) return outcome;
  CachedSweep sweep = cached_sweep(fresh->experiment, builder.options());
  outcome.interrupted = sweep.interrupted;
  outcome.machine_cannot = sweep.machine_cannot;
  if (sweep.error) errors.push_back(*std::move(sweep.error));
  if (!sweep.finished()) return outcome;
  const SurfacePoint point = surface_points(*fresh, sweep.results).front();
  check.throughput = compared(surface, point, kThroughput);
  check.user_speed = compared(surface, point, kUserSpeed);
  check.time_to_first = compared(surface, point, kTimeToFirst);
  const double loop = std::max(std::abs(1 - report.end->slope), 1e-12);
  check.equilibrium_error = surface.throughput_error_at_speed(check.load_at_end) / loop;
  outcome.check = std::move(check);
  return outcome;
}

}  // namespace dspark
