#include "sim/demand/response_surface.h"

#include <fmt/format.h>
#include <math.h>  // before pchip.hpp, which asks for an isnan without a namespace

#include <algorithm>
#include <boost/math/interpolators/pchip.hpp>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>

#include "policies/elementary.h"

namespace dspark {
namespace {

using Pchip = boost::math::interpolators::pchip<std::vector<double>>;

constexpr const char* kColumnNames[kSurfaceColumns] = {"throughput",
                                                       "request rate",
                                                       "user speed",
                                                       "time to the first token",
                                                       "time to the first token, 90 %",
                                                       "waiting requests",
                                                       "busy share"};
/// Monotone columns: 1 rises with the load, -1 falls; 0 goes as it likes.
constexpr int kDirection[kSurfaceColumns] = {1, 1, -1, 0, 0, 0, 0};

/// Least squares among the rising sequences (pool adjacent violators), weights 1 / variance.
std::vector<double> rising(const std::vector<double>& values, const std::vector<double>& weights) {
  struct Block {
    double mean = 0;
    double weight = 0;
    std::size_t count = 0;
  };
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < values.size(); ++i) {
    blocks.push_back({values[i], weights[i], 1});
    while (blocks.size() > 1 && blocks[blocks.size() - 2].mean > blocks.back().mean) {
      const Block last = blocks.back();
      blocks.pop_back();
      Block& into = blocks.back();
      into.mean = (into.mean * into.weight + last.mean * last.weight) / (into.weight + last.weight);
      into.weight += last.weight;
      into.count += last.count;
    }
  }
  std::vector<double> result;
  for (const Block& block : blocks) result.insert(result.end(), block.count, block.mean);
  return result;
}

/// The means of a column, made monotone where it must be; an error where that moves one beyond its noise.
Result<std::vector<double>> pooled(const std::string& name, const std::string& unit,
                                   const std::vector<SurfacePoint>& points, std::size_t column) {
  std::vector<double> means, weights;
  const double sign = kDirection[column];
  for (const SurfacePoint& point : points) {
    const Estimate& e = point.columns[column];
    const double floor = 1e-12 * std::abs(e.mean);  // a formula's values have no error, but weigh
    means.push_back(sign == 0 ? e.mean : sign * e.mean);
    weights.push_back(1 / std::max(1e-300, std::pow(std::max(e.standard_error, floor), 2)));
  }
  if (sign == 0) return means;
  std::vector<double> result = rising(means, weights);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Estimate& e = points[i].columns[column];
    const double moved = std::abs(result[i] - means[i]);
    if (moved > std::max(ResponseSurface::kMostPooled * e.standard_error,
                         ResponseSurface::kMostDip * std::abs(e.mean))) {
      return Error{
          fmt::format(
              "{}: the {} does not {} with the load: {:.6g} at {:.6g} {}, {:.2g} off a monotone curve "
              "through its neighbours, with a standard error of {:.2g}",
              name, kColumnNames[column], sign > 0 ? "rise" : "fall", e.mean, points[i].load, unit, moved,
              e.standard_error),
          {},
          "a surface is of loads where more users mean more tokens and slower ones: leave that load out, or "
          "simulate longer"};
    }
    result[i] *= sign;
  }
  return result;
}

Pchip curve_through(std::vector<double> x, std::vector<double> y) {
  return Pchip(std::move(x), std::move(y));
}

/// How far each point is from the curve through all others; the ends have no curve and take their neighbour's
/// distance.
std::vector<double> left_out(const std::vector<double>& x, const std::vector<double>& y) {
  std::vector<double> distance(x.size(), 0);
  for (std::size_t i = 1; i + 1 < x.size(); ++i) {
    std::vector<double> others_x = x, others_y = y;
    others_x.erase(others_x.begin() + static_cast<std::ptrdiff_t>(i));
    others_y.erase(others_y.begin() + static_cast<std::ptrdiff_t>(i));
    double there = 0;
    if (others_x.size() >= ResponseSurface::kFewestLoads) {
      there = curve_through(std::move(others_x), std::move(others_y))(x[i]);
    } else {
      const double t = (x[i] - x[i - 1]) / (x[i + 1] - x[i - 1]);
      there = y[i - 1] + t * (y[i + 1] - y[i - 1]);
    }
    distance[i] = std::abs(there - y[i]);
  }
  distance.front() = distance[1];
  distance.back() = distance[distance.size() - 2];
  return distance;
}

std::optional<Error> wrong_points(const std::string& name, const std::string& unit,
                                  const std::vector<SurfacePoint>& points) {
  if (points.size() < ResponseSurface::kFewestLoads) {
    return Error{fmt::format("{}: a response surface takes {} loads or more, not {}", name,
                             ResponseSurface::kFewestLoads, points.size())};
  }
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!(points[i].load > (i == 0 ? 0 : points[i - 1].load)) || !std::isfinite(points[i].load))
      return Error{fmt::format("{}: loads of a response surface are positive and rise", name)};
    for (std::size_t c = 0; c < kSurfaceColumns; ++c) {
      const Estimate& e = points[i].columns[c];
      const bool usable = std::isfinite(e.mean) && std::isfinite(e.standard_error) && e.standard_error >= 0;
      if (usable && (kDirection[c] == 0 || e.mean > 0)) continue;
      return Error{fmt::format("{}: no usable {} at {:.6g} {}", name, kColumnNames[c], points[i].load, unit),
                   {},
                   "a load that finishes no request says nothing"};
    }
  }
  return std::nullopt;
}

}  // namespace

double SurfaceError::total() const { return std::sqrt(standard * standard + interpolation * interpolation); }

struct ResponseSurface::Curve {
  std::vector<double> values;    // at the simulated loads: logarithms where the column is monotone
  std::vector<double> standard;  // standard errors of the means, with what pooling moved them by
  std::vector<double> left_out;  // as left_out() says
  Pchip spline;

  /// The cell of x, 0 .. cells - 1, and where in it, 0 .. 1.
  static std::pair<std::size_t, double> cell(const std::vector<double>& at, double x) {
    const auto above = std::upper_bound(at.begin() + 1, at.end() - 1, x);
    const auto i = static_cast<std::size_t>(above - at.begin()) - 1;
    return {i, (x - at[i]) / (at[i + 1] - at[i])};
  }
};

Result<ResponseSurface> ResponseSurface::of(std::string name, std::string unit,
                                            std::vector<SurfacePoint> points) {
  if (auto wrong = wrong_points(name, unit, points)) return *wrong;
  ResponseSurface surface;
  for (const SurfacePoint& point : points) surface.log_loads_.push_back(log_portable(point.load));
  for (std::size_t c = 0; c < kSurfaceColumns; ++c) {
    auto values = pooled(name, unit, points, c);
    if (!values) return values.error();
    std::vector<double> standard;
    for (std::size_t i = 0; i < points.size(); ++i) {
      const Estimate& e = points[i].columns[c];
      standard.push_back(std::hypot(e.standard_error, (*values)[i] - e.mean));
    }
    if (kDirection[c] != 0) {
      for (double& value : *values) value = log_portable(value);
    }
    std::vector<double> distance = left_out(surface.log_loads_, *values);
    surface.curves_[c] = std::make_shared<const Curve>(
        Curve{*values, std::move(standard), std::move(distance), curve_through(surface.log_loads_, *values)});
  }
  surface.name_ = std::move(name);
  surface.unit_ = std::move(unit);
  surface.points_ = std::move(points);
  return surface;
}

double ResponseSurface::at(SurfaceColumn column, double load) const {
  const double x = std::clamp(log_portable(load), log_loads_.front(), log_loads_.back());
  const double value = curves_[column]->spline(x);
  return kDirection[column] != 0 ? exp_portable(value) : value;
}

SurfaceError ResponseSurface::error(SurfaceColumn column, double load) const {
  const double x = std::clamp(log_portable(load), log_loads_.front(), log_loads_.back());
  const auto [i, t] = Curve::cell(log_loads_, x);
  const Curve& curve = *curves_[column];
  const double a = curve.standard[i], b = curve.standard[i + 1];
  SurfaceError error;
  error.standard = std::sqrt((1 - t) * a * a + t * b * b);
  // None at the ends of a cell; within, a dome that is wider than a cubic's error. Leaving a point out
  // doubles the cell, so its height is wide too.
  error.interpolation = 2 * std::sqrt(t * (1 - t)) * std::max(curve.left_out[i], curve.left_out[i + 1]);
  if (kDirection[column] != 0) error.interpolation *= at(column, load);
  return error;
}

double ResponseSurface::throughput_error_at_speed(double load) const {
  const double throughput = error(kThroughput, load).total() / at(kThroughput, load);
  const double speed = error(kUserSpeed, load).total() / at(kUserSpeed, load);
  const double x = std::clamp(log_portable(load), log_loads_.front(), log_loads_.back());
  const auto i = Curve::cell(log_loads_, x).first;
  const auto rise = [&](SurfaceColumn c) { return curves_[c]->values[i + 1] - curves_[c]->values[i]; };
  // Where speed does not change within a cell, it says nothing about the load: the throughput's own rise.
  const double trade = std::abs(rise(kThroughput) / std::min(rise(kUserSpeed), -1e-12));
  const double moved = std::min(speed * trade, std::abs(rise(kThroughput)));
  return throughput +
         moved;  // one error, twice felt: where users are faster, more is served at the same load
}

double ResponseSurface::solve(SurfaceColumn column, double value, bool last) const {
  const Curve& curve = *curves_[column];
  const double sign = kDirection[column];
  // The values rise with sign: the first cell whose end is at `value` or beyond; for `last`, the last whose
  // begin is not beyond it.
  const auto beyond = [&](double y) { return last ? sign * y > sign * value : sign * y >= sign * value; };
  std::size_t i = 0;
  while (i + 2 < curve.values.size() && !beyond(curve.values[i + 1])) ++i;
  const double low = log_loads_[i], high = log_loads_[i + 1];
  const double at_low = curve.values[i] - value, at_high = curve.values[i + 1] - value;
  if (sign * at_low >= 0 && !last) return low;
  if (sign * at_high <= 0) return high;
  if (at_low == 0) return low;
  std::uintmax_t most = 100;
  const auto [a, b] =
      boost::math::tools::toms748_solve([&](double x) { return curve.spline(x) - value; }, low, high, at_low,
                                        at_high, boost::math::tools::eps_tolerance<double>(48), most);
  return 0.5 * (a + b);
}

std::optional<double> ResponseSurface::load_with_throughput(double tokens_per_second) const {
  const auto& values = curves_[kThroughput]->values;
  const double value = log_portable(tokens_per_second);
  if (value > values.back() + 1e-12) return std::nullopt;
  return std::min(exp_portable(solve(kThroughput, value, false)), largest_load());
}

std::optional<double> ResponseSurface::load_with_user_speed(double speed) const {
  const auto& values = curves_[kUserSpeed]->values;
  const double value = log_portable(speed);
  if (value > values.front() + 1e-12 || value < values.back() - 1e-12) return std::nullopt;
  return std::clamp(exp_portable(solve(kUserSpeed, value, true)), least_load(), largest_load());
}

}  // namespace dspark
