#include <algorithm>
#include <cmath>

#include "sim/demand/chip_model.h"

namespace dspark {

/// Constant returns: chips follow the load, each busy for the target utilisation, and a token costs the same
/// at any load. With `whole_chips` their number is rounded up and the cost per token is that of all of them,
/// so that it falls with the load until the next chip.
///
///     supply: {linear_cost: {tokens_per_gpu_second: 2000, user_speed: 80, dollars_per_gpu_hour: 3}}
class LinearCost final : public Supply {
 public:
  LinearCost(Parameters& parameters, const EfficiencyGain& gain)
      : chips_(parameters, gain),
        waiting_seconds_(parameters.number(
            "waiting_seconds",
            {.min = 0, .max = 1e6, .default_value = 0, .unit = "s", .meaning = "until the first token"})),
        whole_chips_(parameters.flag(
            "whole_chips",
            {.default_value = false, .meaning = "chips are bought whole, and all are paid for"})) {}

  SupplyPoint serve(const ServedLoad& load, const OperatingRule& rule) const override {
    const ChipModel::Operation operation = chips_.operate(load, rule);
    double gpus = load.tokens_per_second / (operation.tokens_per_second * chips_.target_utilization());
    if (whole_chips_) gpus = std::max(1.0, std::ceil(gpus * (1 - 1e-12)));
    SupplyPoint point = chips_.provision(gpus, load, operation);
    point.cost_per_million_tokens = whole_chips_
                                        ? point.dollars_per_hour / (load.tokens_per_second * 3600) * 1e6
                                        : chips_.cost_per_million_tokens(operation);
    point.waiting_seconds = waiting_seconds_;
    return point;
  }
  /// Beyond the target utilisation, the chips are one M/M/1 queue: to the waiting, what a typical request
  /// then takes longer than at the target.
  SupplyPoint serve_on(double gpus, const ServedLoad& load, const OperatingRule& rule) const override {
    const ChipModel::Operation operation = chips_.operate(load, rule);
    const double capacity = gpus * operation.tokens_per_second, target = chips_.target_utilization();
    SupplyPoint point = chips_.provision(gpus, load, operation);
    point.cost_per_million_tokens = chips_.cost_per_million_tokens(operation);
    point.waiting_seconds = waiting_seconds_;
    if (point.busy_share > target) {
      point.waiting_seconds += load.typical_tokens / (capacity - load.tokens_per_second) -
                               load.typical_tokens / (capacity * (1 - target));
    }
    return point;
  }
  double largest_load_on(double gpus, const ServedLoad& typical, const OperatingRule& rule) const override {
    return gpus * chips_.operate(typical, rule).tokens_per_second *
           std::max(kLargestUtilization, chips_.target_utilization());
  }
  double fastest_user_speed() const override { return chips_.fastest_user_speed(); }

 private:
  static constexpr double kLargestUtilization = 0.999;

  ChipModel chips_;
  double waiting_seconds_;
  bool whole_chips_;
};

template std::unique_ptr<const Supply> construct_supply<LinearCost>(Parameters&, const EfficiencyGain&);

}  // namespace dspark
