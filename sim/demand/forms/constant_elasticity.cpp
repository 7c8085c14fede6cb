#include "sim/demand/demand_form.h"
#include "sim/demand/power.h"

namespace dspark {

/// Requests ~ price^-elasticity at every price: no choke price, no saturation.
///
///     volume: {constant_elasticity: {elasticity: 0.5}}
class ConstantElasticity final : public DemandForm {
 public:
  ConstantElasticity(Parameters& parameters, const SegmentContext& context)
      : elasticity_(read_noted_elasticity(parameters, context)) {}

  double relative_volume(const Conditions& now, const Conditions& base) const override {
    return power(now.dollars_per_request / base.dollars_per_request, -elasticity_);
  }
  std::optional<double> stated_elasticity() const override { return elasticity_; }

 private:
  double elasticity_;
};

template std::unique_ptr<const DemandForm> construct_demand_form<ConstantElasticity>(Parameters&,
                                                                                     const SegmentContext&);

}  // namespace dspark
