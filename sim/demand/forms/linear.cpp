#include <algorithm>

#include "sim/demand/demand_form.h"

namespace dspark {

/// A straight line through the baseline with the given elasticity there; none are left at the choke price,
/// baseline * (1 + 1/elasticity).
///
///     volume: {linear: {elasticity: 0.5}}
class LinearDemand final : public DemandForm {
 public:
  LinearDemand(Parameters& parameters, const SegmentContext& context)
      : elasticity_(read_noted_elasticity(parameters, context)) {}

  double relative_volume(const Conditions& now, const Conditions& base) const override {
    return std::max(0.0, 1 - elasticity_ * (now.dollars_per_request / base.dollars_per_request - 1));
  }
  std::optional<double> stated_elasticity() const override { return elasticity_; }

 private:
  double elasticity_;  // at the baseline
};

template std::unique_ptr<const DemandForm> construct_demand_form<LinearDemand>(Parameters&,
                                                                               const SegmentContext&);

}  // namespace dspark
