#include <algorithm>

#include "sim/demand/chip_model.h"

namespace dspark {

/// Chips follow the load at the target utilisation until there are no more: a power connection, an export
/// rule. From there on chips are busier and requests wait longer, as in an M/M/1 queue: waiting_seconds at
/// the target utilisation, times (1 - target)/(1 - utilisation); beyond the largest utilisation requests are
/// turned away.
///
///     supply: {capped_chips: {most_gpus: 100, tokens_per_gpu_second: 2000, target_utilization: 0.6,
///     user_speed: 80,
///                             waiting_seconds: 0.5, dollars_per_gpu_hour: 3}}
class CappedChips final : public Supply {
 public:
  CappedChips(Parameters& parameters, const EfficiencyGain& gain)
      : chips_(parameters, gain),
        most_gpus_(
            parameters.number("most_gpus", {.min = 1e-6, .max = 1e9, .unit = "GPUs", .meaning = "the cap"})),
        waiting_seconds_(
            parameters.number("waiting_seconds", {.min = 0,
                                                  .max = 1e6,
                                                  .default_value = 0,
                                                  .unit = "s",
                                                  .meaning = "until the first token, at the target "
                                                             "utilisation"})),
        largest_utilization_(parameters.number(
            "largest_utilization", {.min = 0.01,
                                    .max = 0.999999,
                                    .default_value = 0.95,
                                    .meaning = "busy share beyond which requests are turned away"})) {
    if (!parameters.is_describing() && largest_utilization_ < chips_.target_utilization()) {
      parameters.add_error("'largest_utilization' must be at least 'target_utilization'",
                           parameters.position_of("largest_utilization"),
                           "chips that are never idle at the target leave nothing to fill");
    }
  }

  SupplyPoint serve(const ServedLoad& load, const OperatingRule& rule) const override {
    const ChipModel::Operation operation = chips_.operate(load, rule);
    const double wanted =
        load.tokens_per_second / (operation.tokens_per_second * chips_.target_utilization());
    return serve_on(std::min(wanted, most_gpus_), load, rule);
  }
  SupplyPoint serve_on(double gpus, const ServedLoad& load, const OperatingRule& rule) const override {
    const ChipModel::Operation operation = chips_.operate(load, rule);
    SupplyPoint point = chips_.provision(gpus, load, operation);
    point.cost_per_million_tokens = chips_.cost_per_million_tokens(operation);
    point.waiting_seconds = waiting_seconds_;
    // Compared with a little room: chips that follow the load are at the target but for rounding.
    if (point.busy_share > chips_.target_utilization() * (1 + 1e-12))
      point.waiting_seconds *= (1 - chips_.target_utilization()) / (1 - point.busy_share);
    return point;
  }
  SupplyPoint unlimited(const ServedLoad& load, const OperatingRule& rule,
                        const SupplyPoint& held) const override {
    const double waiting_seconds = held.waiting_seconds;
    // Busier than the target only where the baseline was: waiting_seconds_ * (1 - target)/(1 - busy).
    const ChipModel::Operation operation = chips_.operate(load, rule);
    const double target = chips_.target_utilization();
    const double busy =
        waiting_seconds > waiting_seconds_ ? 1 - waiting_seconds_ * (1 - target) / waiting_seconds : target;
    SupplyPoint point =
        chips_.provision(load.tokens_per_second / (operation.tokens_per_second * busy), load, operation);
    point.cost_per_million_tokens = chips_.cost_per_million_tokens(operation);
    point.waiting_seconds = std::max(waiting_seconds, waiting_seconds_);
    return point;
  }
  double largest_load(const ServedLoad& typical, const OperatingRule& rule) const override {
    return largest_load_on(most_gpus_, typical, rule);
  }
  double largest_load_on(double gpus, const ServedLoad& typical, const OperatingRule& rule) const override {
    return gpus * chips_.operate(typical, rule).tokens_per_second * largest_utilization_;
  }
  double fastest_user_speed() const override { return chips_.fastest_user_speed(); }

 private:
  ChipModel chips_;
  double most_gpus_;
  double waiting_seconds_;
  double largest_utilization_;
};

template std::unique_ptr<const Supply> construct_supply<CappedChips>(Parameters&, const EfficiencyGain&);

}  // namespace dspark
