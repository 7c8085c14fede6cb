#pragma once

#include <memory>
#include <optional>

#include "sim/demand/supply.h"
#include "sim/demand/supply/simulated_supply.h"
#include "sim/demand/surface_source.h"

namespace dspark {

/// The name in `supply:`.
inline constexpr const char* kSimulatedSupply = "simulated";

/// An efficiency step from one policy to another, as the surfaces of both have it at a user speed.
struct MeasuredStep {
  SurfaceRequest request = {};
  double user_speed = 0;       // the operating point, output tokens/s
  double load_before = 0;      // per replica, where users have that speed
  double load_after = 0;       // likewise
  double gain = 1;             // g: throughput after over before at that speed, GPUs per replica unchanged
  double gain_error = 0;       // standard error, both surfaces' errors as independent
  double load_throughput = 0;  // per replica, where the new policy gives the baseline's tokens per GPU; 0:
                               // not on its surface
  std::optional<double> speed_gain = {};  // h: its user speed there over the operating point's
  double speed_gain_error = 0;
};

/// Both sides of a market whose supply is simulated.
struct SimulatedSupplies {
  std::unique_ptr<const SimulatedSupply> before = {};  // nullptr: not to be had yet, or an error was added
  std::unique_ptr<const SimulatedSupply> after = {};
  MeasuredStep step = {};
};

/// Reads the parameters of `supply: {simulated: …}` and asks `source` for the surfaces. Errors, all added to
/// `parameters`: no source; those of the source; a user speed that a policy does not reach, with the range it
/// does.
///
///     supply:
///       simulated: {experiment: ../studies/b300_flash.yaml, before: fixed:1, after: dspark,
///                   operating_point: {user_speed: 80}, gpus_per_replica: 4, dollars_per_gpu_hour: 6}
SimulatedSupplies read_simulated_supplies(Parameters& parameters, SurfaceSource* source);

}  // namespace dspark
