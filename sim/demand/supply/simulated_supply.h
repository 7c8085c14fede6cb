#pragma once

#include <array>
#include <memory>
#include <vector>

#include "sim/demand/response_surface.h"
#include "sim/demand/supply.h"

namespace dspark {

/// What the replicas of a simulated supply are and cost.
struct SimulatedMachine {
  double gpus_per_replica = 1;
  double dollars_per_gpu_hour = 1;
  double idle_watts = 0;  // of a GPU
  double active_watts = 0;
};

/// How many GPUs there are: as many as the load takes, a number that is always on, or at most a number.
struct SimulatedChips {
  enum class Kind { kElastic, kFixed, kCapped };
  Kind kind = Kind::kElastic;
  double gpus = 0;
};

/// The loads per replica that the operator's rules name; for `hold_throughput` 0 where it has none.
struct OperatingLoads {
  double hold_speed = 0;
  double hold_throughput = 0;
};

/// Replicas under one policy as simulations say they behave, any number of them, not whole. The baseline's
/// typical request is the experiment's: a replica that gives T output tokens/s serves T · typical_tokens /
/// typical_output_tokens weighted tokens/s. `waiting_seconds` is the mean time to the first token.
///
/// Elastic chips run each replica at the load that the rule names, whatever is asked; re_optimise takes, of
/// the surface, the load where money + value of time · (waiting + reading time) of a request is least. Fixed
/// chips share what is asked: latency rises along the surface, and beyond its end requests are turned away;
/// capped ones are elastic until they are all there, and then fixed. Prices are made from the cost at the
/// rule's load, whatever the load is.
class SimulatedSupply final : public Supply {
 public:
  SimulatedSupply(std::shared_ptr<const ResponseSurface> surface, const SimulatedMachine& machine,
                  const SimulatedChips& chips, const OperatingLoads& loads);

  SupplyPoint serve(const ServedLoad& load, const OperatingRule& rule) const override;
  SupplyPoint sized(const ServedLoad& load, const OperatingRule& rule,
                    const SupplyPoint& held) const override;
  SupplyPoint unlimited(const ServedLoad& load, const OperatingRule& rule,
                        const SupplyPoint& held) const override;
  /// These GPUs share the load as fixed ones do; the price is made at the rule's load as ever.
  SupplyPoint serve_on(double gpus, const ServedLoad& load, const OperatingRule& rule) const override;
  double largest_load_on(double gpus, const ServedLoad& typical, const OperatingRule& rule) const override;
  bool chips_are_fixed() const override { return chips_.kind == SimulatedChips::Kind::kFixed; }
  double largest_load(const ServedLoad& typical, const OperatingRule& rule) const override;
  double relative_error() const override { return relative_error_; }
  double fastest_user_speed() const override { return surface_->at(kUserSpeed, surface_->least_load()); }

  /// Load of each replica while `load` is served.
  double load_per_replica(const ServedLoad& load, const OperatingRule& rule) const;
  /// The same on these GPUs, whoever bought them.
  double load_per_replica_on(double gpus, const ServedLoad& load) const;
  const ResponseSurface& surface() const { return *surface_; }

 private:
  /// A replica at one load of the surface.
  struct Replica {
    double load = 0;
    double throughput = 0;  // output tokens/s
    double user_speed = 0;
    double waiting_seconds = 0;
    double busy_share = 0;
  };
  Replica replica(double load) const;
  /// The replica that gives `throughput`; below the surface it is the slowest one, idle in between.
  Replica replica_with(double throughput) const;
  Replica chosen(const ServedLoad& load, const OperatingRule& rule) const;
  /// As the chips allow: how many replicas, and what each does.
  struct Fleet {
    double replicas = 0;
    Replica each = {};
  };
  Fleet fleet(const ServedLoad& load, const Replica& chosen) const;
  SupplyPoint point(const ServedLoad& load, const Fleet& fleet, const Replica& priced) const;

  std::shared_ptr<const ResponseSurface> surface_;
  SimulatedMachine machine_;
  SimulatedChips chips_;
  Replica hold_speed_ = {};
  Replica hold_throughput_ = {};
  /// What re_optimise chooses from, even in ln load; a request costs so much of each.
  struct Candidate {
    double seconds_per_token = 0;  // of the replica
    double reading_seconds = 0;    // per output token, of the user
    double waiting_seconds = 0;
  };
  std::vector<Candidate> grid_ = {};
  double log_least_ = 0;
  double log_cell_ = 0;
  double relative_error_ = 0;
};

}  // namespace dspark
