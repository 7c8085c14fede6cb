#include "experiments/surface/growth_check.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace dspark {
namespace {

/// The load of these servers, as it can be simulated.
double load_of(const SimulatedSupply& supply, const ServerShare& servers, bool users) {
  const double load = supply.load_per_replica_on(servers.equivalents, servers.load);
  const ResponseSurface& surface = supply.surface();
  const double clamped = std::clamp(load, surface.least_load(), surface.largest_load());
  return users ? std::round(clamped) : clamped;
}

/// Simulates one policy at the loads of all epochs that have servers of it.
std::vector<SimulatedEpoch> simulate(const SimulatedSupply& supply, const SurfaceRequest& request,
                                     const Value& policy, const GrowthPath& path,
                                     ServerShare EpochState::*servers, const SurfaceBuilder& builder,
                                     GrowthCheck& check, Errors& errors) {
  std::vector<SimulatedEpoch> epochs;
  std::map<double, SurfacePoint> at;
  for (std::size_t i = 0; i < path.epochs.size(); ++i) {
    const ServerShare& here = path.epochs[i].*servers;
    if (here.equivalents <= 0) continue;
    epochs.push_back({i, load_of(supply, here, request.load == "users"), {}, {}});
    at[epochs.back().load];
  }
  if (epochs.empty()) return {};
  std::vector<double> loads;
  for (const auto& [load, point] : at) loads.push_back(load);
  const auto fresh = fresh_experiment(request, builder.path_of(request), policy, loads, errors);
  if (!fresh) return {};
  CachedSweep sweep = cached_sweep(fresh->experiment, builder.options());
  check.interrupted = check.interrupted || sweep.interrupted;
  check.machine_cannot = check.machine_cannot || sweep.machine_cannot;
  if (sweep.error) errors.push_back(*std::move(sweep.error));
  if (!sweep.finished()) return {};
  for (const SurfacePoint& point : surface_points(*fresh, sweep.results)) at[point.load] = point;
  for (SimulatedEpoch& epoch : epochs) {
    epoch.throughput = compared(supply.surface(), at[epoch.load], kThroughput);
    epoch.user_speed = compared(supply.surface(), at[epoch.load], kUserSpeed);
  }
  return epochs;
}

}  // namespace

GrowthCheck check_growth(const Market& market, const GrowthReport& report, const SurfaceBuilder& builder,
                         Errors& errors) {
  GrowthCheck check;
  if (!market.measured) return check;
  const auto& before = dynamic_cast<const SimulatedSupply&>(*market.before);
  const auto& after = dynamic_cast<const SimulatedSupply&>(*market.after);
  const SurfaceRequest& request = market.measured->request;
  check.unit = after.surface().unit();
  check.without_policy = simulate(before, request, request.before, report.with_policy,
                                  &EpochState::without_policy, builder, check, errors);
  if (check.interrupted || !errors.empty()) return check;
  check.with_policy = simulate(after, request, request.after, report.with_policy, &EpochState::with_policy,
                               builder, check, errors);
  return check;
}

}  // namespace dspark
