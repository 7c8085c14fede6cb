#pragma once

#include <map>
#include <optional>
#include <string>

#include "experiments/surface/cached_sweep.h"
#include "experiments/surface/surface_experiment.h"
#include "sim/demand/surface_source.h"

namespace dspark {

/// Response surfaces from simulations, for the market in one file. A market is read twice: the first reading
/// finds all that is wrong with file and experiment and notes the request; `build` then simulates; the second
/// reading has the surfaces, and so has every further one, from any number of threads.
class SurfaceBuilder final : public SurfaceSource {
 public:
  /// `folder`: that of the market's file, from where paths are seen.
  SurfaceBuilder(std::string folder, CacheOptions options)
      : folder_(std::move(folder)), options_(std::move(options)) {}

  std::optional<SurfacePair> surfaces(const SurfaceRequest& request, Errors& errors) override;
  /// True once a market asked for surfaces that are not there yet.
  bool wanted() const { return request_.has_value() && !pair_; }
  /// Simulates both policies; false with an error (positions as the request has them), or where interrupted.
  bool build(Errors& errors);

  bool interrupted() const { return interrupted_; }
  bool machine_cannot() const { return machine_cannot_; }
  const CacheOptions& options() const { return options_; }
  /// Path of the request's experiment.
  std::string path_of(const SurfaceRequest& request) const;

 private:
  std::shared_ptr<const ResponseSurface> surface(const Value& policy, Errors& errors);

  std::string folder_;
  CacheOptions options_;
  std::optional<SurfaceRequest> request_ = {};
  std::optional<SurfacePair> pair_ = {};
  bool interrupted_ = false;
  bool machine_cannot_ = false;
};

/// Means and standard errors over an experiment's replications, a point of the surface each.
std::vector<SurfacePoint> surface_points(const SurfaceExperiment& experiment, const SweepResults& results);

}  // namespace dspark
