#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policies/error.h"

namespace dspark {

/// What a replica does at a load. Throughput and request rate rise with the load, user speed falls.
enum SurfaceColumn : std::size_t {
  kThroughput,       // output tokens/s
  kRequestRate,      // requests/s
  kUserSpeed,        // output tokens/s of one user
  kTimeToFirst,      // s, mean
  kTimeToFirstP90,   // s, 90 % of the requests have their first token by then
  kWaitingRequests,  // not admitted yet, mean over busy time
  kBusyShare,        // of the replica's time
  kSurfaceColumns
};

/// A mean over replications and its standard error; 0 for a formula.
struct Estimate {
  double mean = 0;
  double standard_error = 0;
};

struct SurfacePoint {
  double load = 0;  // concurrent users or requests/s, of one replica
  std::array<Estimate, kSurfaceColumns> columns = {};
};

/// How far a value read off a surface may be from what a simulation there would give, in the value's unit.
struct SurfaceError {
  double standard = 0;       // of the simulated means beside it
  double interpolation = 0;  // what leaving out a neighbour moves; 0 on a simulated load
  double total() const;      // both, as independent
};

/// What one policy does on one machine as a function of load, from simulations at some loads (whoever ran
/// them). Between them: monotone cubics (Fritsch and Carlson's pchip, of Boost.Math) over ln load, of ln
/// throughput, ln request rate and ln user speed, and of the other columns as they are. Before that, those
/// three are made monotone by isotonic regression: neighbours that pass one another share their weighted
/// mean. A value may be moved by kMostPooled of its standard errors (noise), or by kMostDip of itself (padded
/// batches make real, small steps); what it is moved by counts as error. Immutable; threads share it.
class ResponseSurface {
 public:
  static constexpr std::size_t kFewestLoads = 4;
  static constexpr double kMostPooled = 4;
  static constexpr double kMostDip = 0.005;

  /// `name`: of the policy, for messages; `unit` of the load: "users". Errors: fewer than kFewestLoads
  /// points; loads that do not rise; values that are not finite, or not positive in the three columns; a
  /// column that is not monotone beyond its noise.
  static Result<ResponseSurface> of(std::string name, std::string unit, std::vector<SurfacePoint> points);

  /// least_load() <= load <= largest_load(); clamped to that.
  double at(SurfaceColumn column, double load) const;
  SurfaceError error(SurfaceColumn column, double load) const;
  /// Relative error of the throughput of a replica that is run at the load where users have the speed that
  /// they have at `load`: that of the throughput there, plus that of the speed times |d ln throughput / d ln
  /// speed|.
  double throughput_error_at_speed(double load) const;

  /// Least load with at least that throughput; nullopt above the surface. Below it, the least load.
  std::optional<double> load_with_throughput(double tokens_per_second) const;
  /// Largest load with at least that user speed; nullopt outside what was simulated.
  std::optional<double> load_with_user_speed(double speed) const;

  double least_load() const { return points_.front().load; }
  double largest_load() const { return points_.back().load; }
  const std::vector<SurfacePoint>& points() const { return points_; }
  const std::string& name() const { return name_; }
  const std::string& unit() const { return unit_; }

 private:
  struct Curve;
  ResponseSurface() = default;
  /// ln load where the curve of a column is `value` (as the curve has it: a logarithm).
  double solve(SurfaceColumn column, double value, bool last) const;

  std::string name_;
  std::string unit_;
  std::vector<SurfacePoint> points_;  // as simulated
  std::vector<double> log_loads_;
  std::array<std::shared_ptr<const Curve>, kSurfaceColumns> curves_;
};

}  // namespace dspark
