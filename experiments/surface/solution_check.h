#pragma once

#include <optional>
#include <string>

#include "experiments/surface/surface_builder.h"
#include "sim/demand/rebound.h"

namespace dspark {

/// One number at the solution, read off the surface and simulated anew.
struct CheckedValue {
  double surface = 0;
  SurfaceError surface_error = {};
  double simulated = 0;
  double simulated_error = 0;  // standard error over replications
  /// simulated / surface - 1
  double difference() const { return simulated / surface - 1; }
  /// The difference in standard errors of both; 0 where neither has one.
  double in_errors() const;
};

/// A column of a surface beside that of a fresh point at its load.
CheckedValue compared(const ResponseSurface& surface, const SurfacePoint& fresh, SurfaceColumn column);

/// The new policy simulated once more where the market ends, with random numbers that no surface has seen.
struct SolutionCheck {
  double load_at_end = 0;  // per replica, in equilibrium
  double load = 0;         // simulated and compared: the same, in whole users
  std::string unit = {};   // of loads
  CheckedValue throughput = {};
  CheckedValue user_speed = {};
  CheckedValue time_to_first = {};
  /// Relative error of the load in equilibrium that the surface's own makes: its error of throughput at the
  /// user speed, times 1 / |1 - slope of the loop|.
  double equilibrium_error = 0;
};

/// No check where the market has no end, after an error, and where interrupted.
struct CheckOutcome {
  std::optional<SolutionCheck> check = {};
  bool interrupted = false;
  bool machine_cannot = false;
};
CheckOutcome check_solution(const Market& market, const ReboundReport& report, const SurfaceBuilder& builder,
                            Errors& errors);

}  // namespace dspark
