#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/schema/experiment.h"
#include "sim/demand/surface_source.h"

namespace dspark {

/// The experiment of one policy of a request at some loads, a point each in their order, on the machine and
/// the workload of `path`. Requests arrive as `request.load` says, whatever the experiment's own arrivals
/// are.
struct SurfaceExperiment {
  Experiment experiment = {};
  std::vector<double> loads = {};
};

/// Loads: those of the request, else those that the experiment sweeps. Errors: those of the experiment's
/// file; no loads to be had, too few or not whole users; a policy that is none, at its place in the request;
/// measured machines; fewer than two replications, which have no standard error.
std::optional<SurfaceExperiment> surface_experiment(const SurfaceRequest& request, const std::string& path,
                                                    const Value& policy, Errors& errors);

/// The same at other loads, with random numbers of its own: none of the surface's.
std::optional<SurfaceExperiment> fresh_experiment(const SurfaceRequest& request, const std::string& path,
                                                  const Value& policy, const std::vector<double>& loads,
                                                  Errors& errors);

}  // namespace dspark
