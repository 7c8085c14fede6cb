#include "sim/demand/demand_loop.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/demand/power.h"

namespace dspark {
namespace {

constexpr double kLeastTokens = 1e-250;  // for logarithms: demand may be none at all

}  // namespace

DemandLoop::DemandLoop(const Market& market, const Supply& supply, const OperatingRule& rule,
                       const DemandAnswers& answers, std::optional<SupplyPoint> held)
    : market_(&market), supply_(&supply), rule_(rule), answers_(answers), held_(held) {}

SupplyPoint DemandLoop::serve(const ServedLoad& load) const {
  return held_ ? supply_->sized(load, rule_, *held_) : supply_->serve(load, rule_);
}

Conditions DemandLoop::seen(std::size_t segment, const SupplyPoint& point, double price) const {
  Conditions now = market_->conditions(segment, point, price);
  const Conditions& base = market_->baseline.conditions[segment];
  if (!answers_.to_price) {
    now.dollars_per_million_tokens = base.dollars_per_million_tokens;
    now.dollars_per_request = base.dollars_per_request;
  }
  if (!answers_.to_latency) {
    now.latency_seconds = base.latency_seconds;
    now.user_speed = base.user_speed;
  }
  return now;
}

double DemandLoop::waiting_per_token(const ServedLoad& load) const {
  constexpr double kStep = 1e-5;  // of the load, on either side where there is one
  ServedLoad below = load, above = load;
  below.tokens_per_second *= 1 - kStep;
  above.tokens_per_second = std::min(load.tokens_per_second * (1 + kStep), largest_load());
  return (serve(above).waiting_seconds - serve(below).waiting_seconds) /
         (above.tokens_per_second - below.tokens_per_second);
}

double DemandLoop::price(const ServedLoad& load, const SupplyPoint& point) const {
  const MarketBaseline& base = market_->baseline;
  const double cost = point.cost_per_million_tokens + market_->pricing.other_cost;
  switch (market_->pricing.kind) {
    case Pricing::Kind::kFixed:
      return base.price;
    case Pricing::Kind::kAverageCost:
      return base.price * power(cost / (base.point.cost_per_million_tokens + market_->pricing.other_cost),
                                market_->pricing.pass_through);
    case Pricing::Kind::kWelfare:
      // Chips that are there anyhow cost nothing more; where chips are bought to hold the waiting nobody
      // delays.
      if (held_) return cost;
      return welfare_price(supply_->chips_are_fixed() ? market_->pricing.other_cost : cost,
                           market_->rule.value_of_time, load.requests_per_second, waiting_per_token(load));
    case Pricing::Kind::kMonopoly:
      break;
  }
  // The monopolist knows its whole demand, whichever part of it a solve lets loose.
  const auto tokens = [&](double price) {
    double sum = 0;
    for (std::size_t i = 0; i < market_->segments.size(); ++i) {
      sum +=
          market_->segments[i]
              .demand(market_->conditions(i, point, price), base.conditions[i], market_->context_token_weight)
              .tokens_per_second;
    }
    return sum;
  };
  return monopoly_price(tokens, cost, market_->pricing.price_cap);
}

MarketState DemandLoop::answer(double tokens_per_second, double requests_per_second) const {
  MarketState state;
  state.load = market_->baseline.load;
  state.load.tokens_per_second = tokens_per_second;
  state.load.requests_per_second = requests_per_second;
  state.point = serve(state.load);
  state.price = price(state.load, state.point);
  for (std::size_t i = 0; i < market_->segments.size(); ++i) {
    const DemandedLoad asked =
        market_->segments[i].demand(seen(i, state.point, state.price), market_->baseline.conditions[i],
                                    market_->context_token_weight, answers_.channels, answers_.strength);
    state.demand.requests_per_second += asked.requests_per_second;
    state.demand.tokens_per_second += asked.tokens_per_second;
    state.by_segment.push_back(asked);
  }
  return state;
}

MarketState DemandLoop::answer(double tokens_per_second) const {
  double per_token = 1 / market_->baseline.load.typical_tokens;
  MarketState state;
  for (int i = 0; i < 64; ++i) {
    state = answer(tokens_per_second, tokens_per_second * per_token);
    if (state.demand.tokens_per_second <= 0) break;
    const double next = state.demand.requests_per_second / state.demand.tokens_per_second;
    const bool settled = std::abs(next - per_token) <= 1e-14 * per_token;
    per_token = next;
    if (settled) break;
  }
  return state;
}

double DemandLoop::excess(double log_tokens) const {
  const double asked = answer(exp_portable(log_tokens)).demand.tokens_per_second;
  return log_portable(std::max(asked, kLeastTokens)) - log_tokens;
}

double DemandLoop::slope(double log_tokens) const {
  constexpr double kStep = 1e-4;
  const double above = std::min(log_tokens + kStep, log_largest_load());
  const double below = log_tokens - kStep;
  return 1 + (excess(above) - excess(below)) / (above - below);
}

double DemandLoop::largest_load() const {
  if (held_) return std::numeric_limits<double>::infinity();
  return supply_->largest_load(market_->baseline.load, rule_);
}

double DemandLoop::log_largest_load() const {
  const double largest = largest_load();
  return std::isfinite(largest) ? log_portable(largest) : std::numeric_limits<double>::infinity();
}

DemandLoop DemandLoop::with_strength(double strength) const {
  DemandLoop loop = *this;
  loop.answers_.strength = strength;
  return loop;
}

}  // namespace dspark
