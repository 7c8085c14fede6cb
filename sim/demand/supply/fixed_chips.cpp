#include <algorithm>

#include "sim/demand/chip_model.h"

namespace dspark {

/// Chips that are bought and always on. They share their work as one M/M/1 queue (processor sharing: a
/// request's time depends on its own length and on the load alone): a request of the typical length takes
/// typical_tokens / (capacity - load) seconds, to which its own decoding at user_speed is added by whoever
/// asks. Prices are made from the average cost at the target utilisation, whatever the load is.
///
///     supply: {fixed_chips: {gpus: 100, tokens_per_gpu_second: 2000, user_speed: 80, dollars_per_gpu_hour:
///     3}}
class FixedChips final : public Supply {
 public:
  FixedChips(Parameters& parameters, const EfficiencyGain& gain)
      : chips_(parameters, gain),
        gpus_(parameters.number("gpus", {.min = 1e-6, .max = 1e9, .unit = "GPUs", .meaning = "always on"})),
        largest_utilization_(parameters.number(
            "largest_utilization", {.min = 0.01,
                                    .max = 0.999999,
                                    .default_value = 0.999,
                                    .meaning = "busy share beyond which requests are turned away"})) {}

  SupplyPoint serve(const ServedLoad& load, const OperatingRule& rule) const override {
    return serve_on(gpus_, load, rule);
  }
  SupplyPoint serve_on(double gpus, const ServedLoad& load, const OperatingRule& rule) const override {
    return point(gpus, load, chips_.operate(load, rule));
  }
  SupplyPoint sized(const ServedLoad& load, const OperatingRule& rule,
                    const SupplyPoint& held) const override {
    const ChipModel::Operation operation = chips_.operate(load, rule);
    const double capacity = load.tokens_per_second + load.typical_tokens / held.waiting_seconds;
    return point(capacity / operation.tokens_per_second, load, operation);
  }
  bool chips_are_fixed() const override { return true; }
  double largest_load(const ServedLoad& typical, const OperatingRule& rule) const override {
    return largest_load_on(gpus_, typical, rule);
  }
  double largest_load_on(double gpus, const ServedLoad& typical, const OperatingRule& rule) const override {
    return gpus * chips_.operate(typical, rule).tokens_per_second * largest_utilization_;
  }
  double fastest_user_speed() const override { return chips_.fastest_user_speed(); }

 private:
  SupplyPoint point(double gpus, const ServedLoad& load, const ChipModel::Operation& operation) const {
    SupplyPoint point = chips_.provision(gpus, load, operation);
    point.cost_per_million_tokens = chips_.cost_per_million_tokens(operation);
    point.waiting_seconds =
        load.typical_tokens / (gpus * operation.tokens_per_second - load.tokens_per_second);
    return point;
  }

  ChipModel chips_;
  double gpus_;
  double largest_utilization_;
};

template std::unique_ptr<const Supply> construct_supply<FixedChips>(Parameters&, const EfficiencyGain&);

}  // namespace dspark
