#include "sim/demand/demand_form.h"
#include "sim/demand/power.h"

namespace dspark {

/// Requests ~ (price + value of time * waiting)^-elasticity. The elasticity to the money price alone is
/// smaller: elasticity * money's share of the cost.
///
///     volume: {generalised_cost: {elasticity: 1, dollars_per_waiting_hour: 20}}
class GeneralisedCost final : public DemandForm {
 public:
  GeneralisedCost(Parameters& parameters, const SegmentContext& context)
      : elasticity_(read_noted_elasticity(parameters, context)) {
    const double hourly = parameters.number(
        "dollars_per_waiting_hour",
        {.min = 0, .max = 1e6, .unit = "$/h", .meaning = "what an hour of a user's waiting is worth"});
    context.note("value of time, $ per hour of waiting", hourly);
    dollars_per_second_ = hourly / 3600;
  }

  double relative_volume(const Conditions& now, const Conditions& base) const override {
    return power(cost(now) / cost(base), -elasticity_);
  }
  double value_of_time() const override { return dollars_per_second_; }
  std::optional<double> stated_elasticity() const override { return elasticity_; }

 private:
  double cost(const Conditions& c) const {
    return c.dollars_per_request + dollars_per_second_ * c.latency_seconds;
  }

  double elasticity_;
  double dollars_per_second_ = 0;
};

template std::unique_ptr<const DemandForm> construct_demand_form<GeneralisedCost>(Parameters&,
                                                                                  const SegmentContext&);

}  // namespace dspark
