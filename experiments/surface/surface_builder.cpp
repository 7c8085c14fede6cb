#include "experiments/surface/surface_builder.h"

#include <cmath>
#include <filesystem>
#include <limits>

#include "experiments/schema/value_text.h"

namespace dspark {
namespace {

constexpr const char* kMetrics[kSurfaceColumns] = {"throughput", "request_rate", "user_speed_mean",
                                                   "ttft_mean",  "ttft_p90",     "waiting_requests",
                                                   "busy_share"};

/// NaN where a replication does not have the metric: no request finished.
Estimate estimate(const SweepResults& results, std::size_t first, std::size_t replications,
                  const std::string& metric) {
  double sum = 0, squares = 0;
  std::vector<double> values;
  for (std::size_t i = first; i < first + replications; ++i) {
    double value = std::numeric_limits<double>::quiet_NaN();
    for (const MetricValue& m : results[i]->metrics) {
      if (m.name == metric) value = m.value;
    }
    values.push_back(value);
    sum += value;
  }
  const double n = static_cast<double>(replications), mean = sum / n;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / (n - 1) / n)};
}

/// Whether two readings of a market ask for the same runs.
bool same_simulations(const SurfaceRequest& a, const SurfaceRequest& b) {
  return a.experiment == b.experiment && flow_text(a.before) == flow_text(b.before) &&
         flow_text(a.after) == flow_text(b.after) && a.load == b.load && a.loads == b.loads &&
         a.replications == b.replications;
}

}  // namespace

std::vector<SurfacePoint> surface_points(const SurfaceExperiment& experiment, const SweepResults& results) {
  const auto replications = static_cast<std::size_t>(experiment.experiment.replications);
  std::vector<SurfacePoint> points;
  for (std::size_t i = 0; i < experiment.loads.size(); ++i) {
    SurfacePoint point;
    point.load = experiment.loads[i];
    for (std::size_t c = 0; c < kSurfaceColumns; ++c)
      point.columns[c] = estimate(results, i * replications, replications, kMetrics[c]);
    points.push_back(point);
  }
  return points;
}

std::string SurfaceBuilder::path_of(const SurfaceRequest& request) const {
  return (std::filesystem::path(folder_) / request.experiment).string();
}

std::optional<SurfacePair> SurfaceBuilder::surfaces(const SurfaceRequest& request, Errors& errors) {
  if (pair_) {
    if (same_simulations(*request_, request)) return pair_;
    errors.push_back({"what is simulated cannot be uncertain, or differ between draws",
                      request.experiment_position, "write a number in the place of the distribution"});
    return std::nullopt;
  }
  surface_experiment(request, path_of(request), request.before, errors);
  surface_experiment(request, path_of(request), request.after, errors);
  if (errors.empty()) request_ = request;
  return std::nullopt;
}

std::shared_ptr<const ResponseSurface> SurfaceBuilder::surface(const Value& policy, Errors& errors) {
  const auto experiment = surface_experiment(*request_, path_of(*request_), policy, errors);
  if (!experiment) return nullptr;
  CachedSweep sweep = cached_sweep(experiment->experiment, options_);
  interrupted_ = sweep.interrupted;
  machine_cannot_ = sweep.machine_cannot;
  if (sweep.error) errors.push_back(*std::move(sweep.error));
  if (!sweep.finished()) return nullptr;
  auto surface = ResponseSurface::of(label(policy), request_->load == "rate" ? "requests/s" : "users",
                                     surface_points(*experiment, sweep.results));
  if (surface) return std::make_shared<const ResponseSurface>(*std::move(surface));
  Error error = surface.error();
  error.position = request_->experiment_position;
  errors.push_back(std::move(error));
  return nullptr;
}

bool SurfaceBuilder::build(Errors& errors) {
  SurfacePair pair;
  pair.before = surface(request_->before, errors);
  if (!pair.before) return false;
  pair.after = surface(request_->after, errors);
  if (!pair.after) return false;
  pair_ = std::move(pair);
  return true;
}

}  // namespace dspark
