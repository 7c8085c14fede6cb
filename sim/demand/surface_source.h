#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policies/parameters.h"
#include "sim/demand/response_surface.h"

namespace dspark {

/// Which simulations a supply wants: two policies on the machine and the workload of one experiment.
struct SurfaceRequest {
  std::string experiment = {};  // as written
  Position experiment_position = {};
  Value before = {};  // policies, as experiments write them
  Value after = {};
  std::string load = "users";      // or "rate": what the loads are of
  std::vector<double> loads = {};  // of one replica, rising; empty: those that the experiment sweeps
  Position loads_position = {};
  int replications = 0;  // 0: as many as the experiment says
};

/// The surfaces of both policies, over the same loads and random numbers.
struct SurfacePair {
  std::shared_ptr<const ResponseSurface> before = {};
  std::shared_ptr<const ResponseSurface> after = {};
};

/// Where surfaces come from. Nothing in sim runs sweeps or keeps files: experiments/surface/ does.
class SurfaceSource {
 public:
  virtual ~SurfaceSource() = default;
  /// Nothing where `errors` says why, and where the request was only looked at: the market is then read
  /// again once they are there.
  virtual std::optional<SurfacePair> surfaces(const SurfaceRequest& request, Errors& errors) = 0;
};

}  // namespace dspark
