#include "policies/elementary.h"
#include "sim/demand/power.h"
#include "sim/demand/rebound.h"

namespace dspark {
namespace {

constexpr int kHalfSteps = 400;

/// Of one segment along the path from the baseline: prices and waiting move in equal ratios. $/s per unit of
/// path.
double worth_of_step(const Market& market, std::size_t index, const Conditions& end, double part) {
  const Segment& segment = market.segments[index];
  const Conditions& base = market.baseline.conditions[index];
  const double price_step = log_portable(end.dollars_per_million_tokens / base.dollars_per_million_tokens);
  const double wait_step =
      segment.volume->value_of_time() > 0 ? log_portable(end.latency_seconds / base.latency_seconds) : 0;
  Conditions at = base;
  at.dollars_per_million_tokens *= exp_portable(part * price_step);
  at.dollars_per_request *= exp_portable(part * price_step);
  at.latency_seconds *= exp_portable(part * wait_step);
  const DemandedLoad asked = segment.demand(at, base, market.context_token_weight);
  return -asked.tokens_per_second * at.dollars_per_million_tokens * 1e-6 * price_step -
         asked.requests_per_second * segment.volume->value_of_time() * at.latency_seconds * wait_step;
}

}  // namespace

double surplus_change(const Market& market, const MarketState& state) {
  double per_second = 0;
  for (std::size_t i = 0; i < market.segments.size(); ++i) {
    const Conditions end = market.conditions(i, state.point, state.price);
    for (int k = 0; k <= kHalfSteps; ++k) {  // Simpson's rule
      const double weight = k == 0 || k == kHalfSteps ? 1 : k % 2 == 1 ? 4 : 2;
      per_second +=
          weight / (3 * kHalfSteps) * worth_of_step(market, i, end, static_cast<double>(k) / kHalfSteps);
    }
  }
  return per_second * 3600;
}

}  // namespace dspark
