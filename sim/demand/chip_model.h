#pragma once

#include "sim/demand/supply.h"

namespace dspark {

/// A chip in a formula: tokens per second at one user speed, dollars and power. The frontier between the two
/// speeds is a power law through the two cuts that the gains name: with share t of the gain taken as speed, a
/// chip gives tokens_per_second * g^(1 - t) at user_speed * h^t.
class ChipModel {
 public:
  ChipModel(Parameters& parameters, const EfficiencyGain& gain);

  struct Operation {
    double tokens_per_second = 0;  // of a chip that is never idle
    double user_speed = 0;
  };
  Operation operate(const ServedLoad& load, const OperatingRule& rule) const;
  /// `gpus` chips that serve `load`: their dollars, power and busy share; cost and waiting are left to the
  /// caller.
  SupplyPoint provision(double gpus, const ServedLoad& load, const Operation& operation) const;
  /// $ per million weighted tokens of a chip at the target utilisation.
  double cost_per_million_tokens(const Operation& operation) const;

  double target_utilization() const { return target_utilization_; }
  double fastest_user_speed() const { return fastest_user_speed_; }

 private:
  EfficiencyGain gain_;
  double tokens_per_second_;
  double target_utilization_;
  double user_speed_;
  double fastest_user_speed_;
  double dollars_per_gpu_hour_;
  double idle_watts_;
  double active_watts_;
};

}  // namespace dspark
