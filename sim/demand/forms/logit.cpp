#include "policies/elementary.h"
#include "sim/demand/demand_form.h"

namespace dspark {

/// Each of many users takes the service with probability 1/(1 + e^-u), u falling linearly in the price, and
/// the outside option (another service, no service) otherwise. The elasticity at the baseline is that of the
/// file; usage saturates at 1/share times the baseline.
///
///     volume: {logit: {elasticity: 0.5, share: 0.2}}
class LogitDemand final : public DemandForm {
 public:
  LogitDemand(Parameters& parameters, const SegmentContext& context)
      : elasticity_(read_noted_elasticity(parameters, context)),
        share_(parameters.number("share",
                                 {.min = 1e-6,
                                  .max = 1 - 1e-6,
                                  .meaning = "part of the potential users who take it at the baseline"})) {
    context.note("share of potential users", share_);
  }

  double relative_volume(const Conditions& now, const Conditions& base) const override {
    // Elasticity at the baseline: slope * price * (1 - share).
    const double slope = elasticity_ / (1 - share_);
    const double change = slope * (now.dollars_per_request / base.dollars_per_request - 1);
    return 1 / (share_ + (1 - share_) * exp_portable(change));
  }
  std::optional<double> stated_elasticity() const override { return elasticity_; }

 private:
  double elasticity_;  // at the baseline
  double share_;
};

template std::unique_ptr<const DemandForm> construct_demand_form<LogitDemand>(Parameters&,
                                                                              const SegmentContext&);

}  // namespace dspark
