#pragma once

#include <cmath>
#include <functional>
#include <memory>
#include <vector>

#include "policies/invariant.h"
#include "sim/demand/surface_source.h"

namespace dspark::testing {

constexpr double kSampledOutput = 300;  // output tokens of a sampled request

/// A formula of a replica: throughput and user speed at a load; the first token comes after `waiting` s.
struct ReplicaFormula {
  std::function<double(double)> throughput;
  std::function<double(double)> user_speed;
  std::function<double(double)> waiting = [](double) { return 0.25; };
};

/// x users of a·x/(1 + x/b) tokens/s: at user speed u a replica gives b·(a - u), so that g times b is g times
/// the throughput at any speed.
inline ReplicaFormula saturating(double a, double b) {
  return {[=](double x) { return a * x / (1 + x / b); }, [=](double x) { return a / (1 + x / b); }};
}

inline std::vector<double> spread_loads(double least, double largest, int count) {
  std::vector<double> loads;
  for (int i = 0; i < count; ++i) loads.push_back(least * std::pow(largest / least, i / (count - 1.0)));
  return loads;
}

inline std::vector<SurfacePoint> sampled(const ReplicaFormula& formula, const std::vector<double>& loads,
                                         double relative_error = 0) {
  std::vector<SurfacePoint> points;
  for (const double load : loads) {
    const double throughput = formula.throughput(load), speed = formula.user_speed(load);
    SurfacePoint point{load, {}};
    point.columns[kThroughput] = {throughput, relative_error * throughput};
    point.columns[kRequestRate] = {throughput / kSampledOutput, relative_error * throughput / kSampledOutput};
    point.columns[kUserSpeed] = {speed, relative_error * speed};
    point.columns[kTimeToFirst] = {formula.waiting(load), 0};
    point.columns[kTimeToFirstP90] = {2 * formula.waiting(load), 0};
    point.columns[kBusyShare] = {1, 0};
    points.push_back(point);
  }
  return points;
}

inline std::shared_ptr<const ResponseSurface> sampled_surface(const ReplicaFormula& formula,
                                                              const std::vector<double>& loads,
                                                              double relative_error = 0) {
  auto surface = ResponseSurface::of("sampled", "users", sampled(formula, loads, relative_error));
  DSPARK_INVARIANT(surface);
  return std::make_shared<const ResponseSurface>(*std::move(surface));
}

/// Gives the same two surfaces whatever is asked for.
class GivenSurfaces final : public SurfaceSource {
 public:
  GivenSurfaces(std::shared_ptr<const ResponseSurface> before, std::shared_ptr<const ResponseSurface> after)
      : pair_{std::move(before), std::move(after)} {}
  std::optional<SurfacePair> surfaces(const SurfaceRequest&, Errors&) override { return pair_; }

 private:
  SurfacePair pair_;
};

}  // namespace dspark::testing
