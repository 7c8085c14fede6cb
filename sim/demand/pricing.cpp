#include "sim/demand/pricing.h"

#include <algorithm>
#include <boost/math/tools/minima.hpp>
#include <cmath>

#include "sim/demand/power.h"

namespace dspark {
namespace {

constexpr double kHighestOverCost = 1e4;
constexpr int kCells = 400;

}  // namespace

Pricing read_pricing(Parameters& parameters) {
  Selection kind = parameters.one_of("price", {"average_cost", "fixed", "monopoly", "welfare"},
                                     "how the price of tokens follows their cost", "average_cost");
  Parameters& p = kind.parameters;
  Pricing pricing;
  if (kind.name == "fixed") {
    pricing.kind = Pricing::Kind::kFixed;
    pricing.fixed = p.number("dollars_per_million_tokens",
                             {.min = 1e-9, .max = 1e9, .unit = "$/Mtoken", .meaning = "of weighted tokens"});
  } else if (kind.name == "monopoly") {
    pricing.kind = Pricing::Kind::kMonopoly;
    pricing.price_cap = p.number(
        "price_cap",
        {.min = 0, .max = 1e9, .default_value = 0, .unit = "$/Mtoken", .meaning = "highest price; 0: none"});
  } else if (kind.name == "welfare") {
    pricing.kind = Pricing::Kind::kWelfare;
  } else {
    pricing.pass_through =
        p.number("pass_through", {.min = 0,
                                  .max = 1,
                                  .default_value = 1,
                                  .meaning = "d ln price / d ln cost: 1 is competition, 0 a fixed price"});
    pricing.markup = p.number(
        "markup",
        {.min = 0, .max = 1e3, .default_value = 0, .meaning = "on the average cost, as a share of it"});
  }
  if (kind.name != "fixed") {
    pricing.other_cost =
        p.number("other_cost_per_million_tokens",
                 {.min = 0,
                  .max = 1e9,
                  .default_value = 0,
                  .unit = "$/Mtoken",
                  .meaning = "of weighted tokens, beside the GPUs; a gain leaves it as it is"});
  }
  return pricing;
}

double welfare_price(double marginal_cost_per_million, double value_of_time, double requests_per_second,
                     double waiting_per_token) {
  return marginal_cost_per_million + 1e6 * value_of_time * requests_per_second * waiting_per_token;
}

double monopoly_price(const DemandCurve& demand, double cost, double price_cap) {
  const double low = log_portable(cost);
  const double high = std::max(low, log_portable(price_cap > 0 ? price_cap : cost * kHighestOverCost));
  const auto loss = [&](double log_price) {
    const double price = exp_portable(log_price);
    return -(price - cost) * demand(price);
  };
  const double cell = (high - low) / kCells;
  int best = 0;
  for (int i = 1; i <= kCells; ++i) {
    if (loss(low + i * cell) < loss(low + best * cell)) best = i;
  }
  if (best == kCells) return exp_portable(high);
  const auto [log_price, least] = boost::math::tools::brent_find_minima(
      loss, low + std::max(0, best - 1) * cell, low + (best + 1) * cell, std::numeric_limits<double>::digits);
  static_cast<void>(least);
  return exp_portable(log_price);
}

std::optional<double> monopoly_baseline_price(const std::function<double(double price)>& elasticity,
                                              double cost, double price_cap) {
  const auto capped = [&](double price) { return price_cap > 0 ? std::min(price, price_cap) : price; };
  double price = capped(2 * cost);
  for (int i = 0; i < 1000; ++i) {
    const double e = elasticity(price);
    if (e <= 1 + 1e-9) return price_cap > 0 ? std::optional(price_cap) : std::nullopt;
    const double next = capped(cost * e / (e - 1));
    if (std::abs(next - price) <= 1e-13 * price) return next;
    price = i < 20 ? next : 0.5 * (price + next);
  }
  return std::nullopt;
}

}  // namespace dspark
