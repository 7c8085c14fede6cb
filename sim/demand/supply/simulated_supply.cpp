#include "sim/demand/supply/simulated_supply.h"

#include <algorithm>
#include <cmath>

#include "policies/elementary.h"

namespace dspark {
namespace {

constexpr int kGridCells = 256;

/// Weighted tokens that come with an output token of the typical request.
double weight(const ServedLoad& load) { return load.typical_tokens / load.typical_output_tokens; }

}  // namespace

SimulatedSupply::SimulatedSupply(std::shared_ptr<const ResponseSurface> surface,
                                 const SimulatedMachine& machine, const SimulatedChips& chips,
                                 const OperatingLoads& loads)
    : surface_(std::move(surface)),
      machine_(machine),
      chips_(chips),
      hold_speed_(replica(loads.hold_speed)),
      hold_throughput_(replica(loads.hold_throughput > 0 ? loads.hold_throughput : loads.hold_speed)),
      relative_error_(surface_->throughput_error_at_speed(loads.hold_speed)) {
  log_least_ = log_portable(surface_->least_load());
  log_cell_ = (log_portable(surface_->largest_load()) - log_least_) / kGridCells;
  for (int i = 0; i <= kGridCells; ++i) {
    const Replica r = replica(exp_portable(log_least_ + i * log_cell_));
    grid_.push_back({1 / r.throughput, 1 / r.user_speed, r.waiting_seconds});
  }
}

SimulatedSupply::Replica SimulatedSupply::replica(double load) const {
  return {load, surface_->at(kThroughput, load), surface_->at(kUserSpeed, load),
          surface_->at(kTimeToFirst, load), std::clamp(surface_->at(kBusyShare, load), 0.0, 1.0)};
}

SimulatedSupply::Replica SimulatedSupply::replica_with(double throughput) const {
  if (throughput * grid_.front().seconds_per_token < 1) {
    Replica idle = replica(surface_->least_load());
    const double share = throughput / idle.throughput;
    idle.load *= share, idle.throughput = throughput, idle.busy_share *= share;
    return idle;
  }
  Replica busy = replica(surface_->load_with_throughput(throughput).value_or(surface_->largest_load()));
  busy.throughput = throughput;  // exactly: the solver stops a few bits before
  return busy;
}

SimulatedSupply::Replica SimulatedSupply::chosen(const ServedLoad& load, const OperatingRule& rule) const {
  if (rule.kind == OperatingRule::Kind::kHoldSpeed) return hold_speed_;
  if (rule.kind == OperatingRule::Kind::kHoldThroughput) return hold_throughput_;
  const double money =
      machine_.gpus_per_replica * machine_.dollars_per_gpu_hour / 3600 * load.typical_output_tokens;
  const double reading = rule.value_of_time * load.typical_output_tokens;
  const auto dollars = [&](std::size_t i) {
    const Candidate& c = grid_[i];
    return money * c.seconds_per_token + reading * c.reading_seconds + rule.value_of_time * c.waiting_seconds;
  };
  std::size_t best = 0;
  double least = dollars(0);
  for (std::size_t i = 1; i < grid_.size(); ++i) {
    const double here = dollars(i);
    if (here < least) best = i, least = here;
  }
  double cells = static_cast<double>(best);
  if (best > 0 && best + 1 < grid_.size()) {  // the vertex of the parabola through the three
    const double before = dollars(best - 1), after = dollars(best + 1);
    const double bend = before - 2 * least + after;
    if (bend > 0) cells += 0.5 * (before - after) / bend;
  }
  return replica(exp_portable(log_least_ + cells * log_cell_));
}

SimulatedSupply::Fleet SimulatedSupply::fleet(const ServedLoad& load, const Replica& chosen) const {
  const double output = load.tokens_per_second / weight(load);
  const double wanted = output / chosen.throughput, have = chips_.gpus / machine_.gpus_per_replica;
  const bool elastic = chips_.kind == SimulatedChips::Kind::kElastic ||
                       (chips_.kind == SimulatedChips::Kind::kCapped && wanted <= have);
  if (elastic) return {wanted, chosen};
  return {have, replica_with(output / have)};
}

SupplyPoint SimulatedSupply::point(const ServedLoad& load, const Fleet& fleet, const Replica& priced) const {
  SupplyPoint point;
  point.gpus = fleet.replicas * machine_.gpus_per_replica;
  point.busy_share = fleet.each.busy_share;
  point.dollars_per_hour = point.gpus * machine_.dollars_per_gpu_hour;
  point.kilowatts = point.gpus *
                    (machine_.idle_watts + (machine_.active_watts - machine_.idle_watts) * point.busy_share) *
                    1e-3;
  point.cost_per_million_tokens = machine_.gpus_per_replica * machine_.dollars_per_gpu_hour /
                                  (3600 * priced.throughput * weight(load)) * 1e6;
  point.user_speed = fleet.each.user_speed;
  point.waiting_seconds = fleet.each.waiting_seconds;
  return point;
}

SupplyPoint SimulatedSupply::serve(const ServedLoad& load, const OperatingRule& rule) const {
  const Replica replica = chosen(load, rule);
  return point(load, fleet(load, replica), replica);
}

SupplyPoint SimulatedSupply::sized(const ServedLoad& load, const OperatingRule& rule,
                                   const SupplyPoint& held) const {
  return chips_are_fixed() ? unlimited(load, rule, held) : serve(load, rule);
}

SupplyPoint SimulatedSupply::unlimited(const ServedLoad& load, const OperatingRule& rule,
                                       const SupplyPoint& held) const {
  const Replica priced = chosen(load, rule);
  const Replica at_speed =
      replica(surface_->load_with_user_speed(held.user_speed)
                  .value_or(held.user_speed > hold_speed_.user_speed ? surface_->least_load()
                                                                     : surface_->largest_load()));
  return point(load, {load.tokens_per_second / weight(load) / at_speed.throughput, at_speed}, priced);
}

double SimulatedSupply::largest_load(const ServedLoad& typical, const OperatingRule& rule) const {
  if (chips_.kind == SimulatedChips::Kind::kElastic) return Supply::largest_load(typical, rule);
  return largest_load_on(chips_.gpus, typical, rule);
}

double SimulatedSupply::load_per_replica_on(double gpus, const ServedLoad& load) const {
  return replica_with(load.tokens_per_second / weight(load) * machine_.gpus_per_replica / gpus).load;
}

SupplyPoint SimulatedSupply::serve_on(double gpus, const ServedLoad& load, const OperatingRule& rule) const {
  const double replicas = gpus / machine_.gpus_per_replica;
  const Replica each = replica_with(load.tokens_per_second / weight(load) / replicas);
  return point(load, {replicas, each}, chosen(load, rule));
}

double SimulatedSupply::largest_load_on(double gpus, const ServedLoad& typical, const OperatingRule&) const {
  const double replicas = gpus / machine_.gpus_per_replica;
  return replicas * surface_->at(kThroughput, surface_->largest_load()) * weight(typical);
}

double SimulatedSupply::load_per_replica(const ServedLoad& load, const OperatingRule& rule) const {
  return fleet(load, chosen(load, rule)).each.load;
}

}  // namespace dspark
