#pragma once

#include <string>
#include <vector>

#include "experiments/surface/solution_check.h"
#include "sim/demand/growth/growth_report.h"

namespace dspark {

/// Servers of one kind in one epoch, simulated anew at their load.
struct SimulatedEpoch {
  std::size_t epoch = 0;
  double load = 0;  // per replica; whole users
  CheckedValue throughput = {};
  CheckedValue user_speed = {};
};

/// The path with the policy, every epoch by discrete events at its load with random numbers that no surface
/// has seen.
struct GrowthCheck {
  std::vector<SimulatedEpoch> without_policy = {};  // of the epochs with such servers
  std::vector<SimulatedEpoch> with_policy = {};
  std::string unit = {};  // of loads
  bool interrupted = false;
  bool machine_cannot = false;
};

/// Empty for supplies that are formulas. Epochs with the same load are one run.
GrowthCheck check_growth(const Market& market, const GrowthReport& report, const SurfaceBuilder& builder,
                         Errors& errors);

}  // namespace dspark
