#include "sim/demand/simulated_step.h"

#include <fmt/format.h>

#include <cmath>

namespace dspark {
namespace {

SurfaceRequest read_request(Parameters& parameters) {
  SurfaceRequest request;
  request.experiment = parameters.text(
      "experiment",
      {.meaning = "file of the experiment whose machine, engine, workload and stop rule serve"});
  request.experiment_position = parameters.position_of("experiment");
  const auto policy = [&](const char* name, const char* meaning) {
    const Value* value = parameters.raw(name, "policy", meaning, false);
    return value == nullptr ? Value{} : *value;
  };
  request.before = policy("before", "the baseline's policy, as in an experiment");
  request.after = policy("after", "the policy that brings the gain");
  request.load = parameters.choice(
      "load", {.options = {"users", "rate"},
               .default_value = "users",
               .meaning = "what a replica's load is: users who each have a request in the system, or "
                          "requests/s that arrive at random"});
  if (parameters.given("loads") || parameters.is_describing()) {
    request.loads = parameters.numbers(
        "loads", {.min = 1e-6,
                  .max = 1 << 20,
                  .min_count = ResponseSurface::kFewestLoads,
                  .max_count = 1000,
                  .default_value = std::vector<double>{},
                  .unit = "users or requests/s",
                  .meaning = "per replica, rising; those that the experiment sweeps if absent"});
    request.loads_position = parameters.position_of("loads");
    for (std::size_t i = 1; i < request.loads.size(); ++i) {
      if (request.loads[i] > request.loads[i - 1]) continue;
      parameters.add_error(
          fmt::format("'loads' must rise, and {} follows {}", request.loads[i], request.loads[i - 1]),
          request.loads_position);
      break;
    }
  }
  request.replications = static_cast<int>(parameters.integer(
      "replications",
      {.min = 0, .max = 10'000, .default_value = 0, .meaning = "of every load; 0: as the experiment says"}));
  return request;
}

SimulatedMachine read_machine(Parameters& parameters) {
  SimulatedMachine machine;
  machine.gpus_per_replica = parameters.number(
      "gpus_per_replica",
      {.min = 1e-6, .max = 1e6, .default_value = 1, .unit = "GPUs", .meaning = "of the simulated machine"});
  machine.dollars_per_gpu_hour = parameters.number(
      "dollars_per_gpu_hour", {.min = 1e-6, .max = 1e6, .unit = "$/h", .meaning = "of one GPU, busy or not"});
  machine.idle_watts = parameters.number(
      "idle_watts", {.min = 0, .max = 1e6, .default_value = 0, .unit = "W", .meaning = "of an idle GPU"});
  machine.active_watts = parameters.number(
      "active_watts", {.min = 0, .max = 1e6, .default_value = 0, .unit = "W", .meaning = "of a busy GPU"});
  if (machine.active_watts < machine.idle_watts) {
    parameters.add_error("'active_watts' must be at least 'idle_watts'",
                         parameters.position_of("active_watts"));
  }
  return machine;
}

SimulatedChips read_chips(Parameters& parameters) {
  Selection kind = parameters.one_of("chips", {"elastic", "fixed", "capped"},
                                     "elastic: as many GPUs as the load takes; fixed:100: always on; "
                                     "capped:100: elastic until there are that many",
                                     "elastic");
  SimulatedChips chips;
  if (kind.name == "elastic") return chips;
  chips.kind = kind.name == "fixed" ? SimulatedChips::Kind::kFixed : SimulatedChips::Kind::kCapped;
  chips.gpus = kind.parameters.number(
      "gpus", {.min = 1e-6, .max = 1e9, .unit = "GPUs", .meaning = "always on, or the cap"});
  return chips;
}

/// The load where the policy's users have the speed; an error with what can be reached where there is none.
double load_at_speed(Parameters& parameters, const Position& position, const ResponseSurface& surface,
                     double speed) {
  if (const auto load = surface.load_with_user_speed(speed)) return *load;
  const double fast = surface.at(kUserSpeed, surface.least_load()),
               slow = surface.at(kUserSpeed, surface.largest_load());
  parameters.add_error(
      fmt::format(
          "unreachable user speed: {:.6g} tokens/s; {} was simulated from {:.4g} ({:.6g} {}) to {:.4g} "
          "({:.6g} {})",
          speed, surface.name(), slow, surface.largest_load(), surface.unit(), fast, surface.least_load(),
          surface.unit()),
      position, speed > fast ? "ask for less, or simulate smaller loads" : "simulate larger loads");
  return 0;
}

void measure(const ResponseSurface& before, const ResponseSurface& after, MeasuredStep& step) {
  const double base = before.at(kThroughput, step.load_before);
  const double base_error = before.throughput_error_at_speed(step.load_before);
  step.gain = after.at(kThroughput, step.load_after) / base;
  step.gain_error = step.gain * std::hypot(base_error, after.throughput_error_at_speed(step.load_after));
  const auto load = after.load_with_throughput(base);
  if (!load || base < after.at(kThroughput, after.least_load()) * (1 - 1e-12)) return;
  step.load_throughput = *load;
  step.speed_gain = after.at(kUserSpeed, *load) / step.user_speed;
  // Along the surface an error of throughput is one of speed; the slower side's trade stands for it.
  const double speed = after.error(kUserSpeed, *load).total() / after.at(kUserSpeed, *load);
  step.speed_gain_error =
      *step.speed_gain *
      std::hypot(speed, before.error(kUserSpeed, step.load_before).total() / step.user_speed);
}

}  // namespace

SimulatedSupplies read_simulated_supplies(Parameters& parameters, SurfaceSource* source) {
  SimulatedSupplies result;
  MeasuredStep& step = result.step;
  step.request = read_request(parameters);
  Parameters point = parameters.group("operating_point", "where the baseline runs its replicas", true);
  step.user_speed = point.number("user_speed", {.min = 1e-3,
                                                .max = 1e6,
                                                .unit = "tokens/s",
                                                .meaning = "output tokens/s of one user before the gain"});
  const Position position = point.position_of("user_speed");
  const SimulatedMachine machine = read_machine(parameters);
  const SimulatedChips chips = read_chips(parameters);
  if (parameters.is_describing() || !parameters.errors().empty()) return result;
  if (source == nullptr) {
    parameters.add_error("a simulated supply is for commands that run simulations", parameters.position());
    return result;
  }
  Errors errors;
  const auto surfaces = source->surfaces(step.request, errors);
  for (Error& error : errors) parameters.add_error(std::move(error));
  if (!surfaces) return result;
  step.load_before = load_at_speed(parameters, position, *surfaces->before, step.user_speed);
  step.load_after = load_at_speed(parameters, position, *surfaces->after, step.user_speed);
  if (step.load_before == 0 || step.load_after == 0) return result;
  measure(*surfaces->before, *surfaces->after, step);
  result.before = std::make_unique<SimulatedSupply>(surfaces->before, machine, chips,
                                                    OperatingLoads{step.load_before, step.load_before});
  result.after = std::make_unique<SimulatedSupply>(surfaces->after, machine, chips,
                                                   OperatingLoads{step.load_after, step.load_throughput});
  return result;
}

}  // namespace dspark
