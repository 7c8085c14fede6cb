#include "sim/demand/threshold_mixture.h"

#include <cmath>

namespace dspark {

ThresholdMixture::ThresholdMixture(Parameters& parameters, const SegmentContext& context)
    : willingness_to_pay_(read_threshold_distribution(parameters, "willingness_to_pay", "$/Mtoken",
                                                      "what a million tokens are worth to an application",
                                                      context)) {
  if (parameters.given("tolerable_latency") || parameters.is_describing()) {
    tolerable_latency_ = read_threshold_distribution(
        parameters, "tolerable_latency", "s", "how long an application can wait for its reply", context);
  }
}

double ThresholdMixture::share(const Conditions& conditions) const {
  return willingness_to_pay_->at_least(conditions.dollars_per_million_tokens) *
         (tolerable_latency_ ? tolerable_latency_->at_least(conditions.latency_seconds) : 1);
}

double ThresholdMixture::relative_volume(const Conditions& now, const Conditions& base) const {
  const double before = share(base);
  return before > 0 ? share(now) / before : share(now) > 0 ? HUGE_VAL : 1;
}

template std::unique_ptr<const DemandForm> construct_demand_form<ThresholdMixture>(Parameters&,
                                                                                   const SegmentContext&);

}  // namespace dspark
