#pragma once

#include <functional>
#include <optional>

#include "policies/parameters.h"

namespace dspark {

/// How a provider makes the price of a million weighted tokens from what it costs.
struct Pricing {
  enum class Kind {
    kAverageCost,  // price = baseline price * (cost / baseline cost)^pass_through; baseline: (1 + markup) *
                   // cost
    kFixed,        // the same price whatever it costs
    kMonopoly,     // the price of the largest profit, at most price_cap
    kWelfare,      // what one more request costs, the waiting that it causes to others included
  };
  Kind kind = Kind::kAverageCost;
  double markup = 0;        // of kAverageCost: share of the cost, >= 0
  double pass_through = 1;  // of kAverageCost: d ln price / d ln cost, 0 .. 1
  double fixed = 0;         // of kFixed: $/Mtoken
  double price_cap = 0;     // of kMonopoly: $/Mtoken; 0: none
  double other_cost = 0;  // $/Mtoken, of all but kFixed: what tokens cost beside GPUs, untouched by the gain
};

Pricing read_pricing(Parameters& parameters);

/// Mendelson's (1985) price of a queue of which nobody gains by asking for more or less: p = c + v Q W'(Q)
/// per request, here in $ per million weighted tokens. `waiting_per_token`: d waiting / d (weighted tokens/s)
/// at `tokens_per_second`; `requests_per_second` wait each at value_of_time $/s.
double welfare_price(double marginal_cost_per_million, double value_of_time, double requests_per_second,
                     double waiting_per_token);

/// Tokens per second at a price.
using DemandCurve = std::function<double(double price)>;

/// The price between `cost` and the cap (10^4 times the cost where there is none) with the largest profit
/// (price - cost) * demand, to 1e-7 relative.
double monopoly_price(const DemandCurve& demand, double cost, double price_cap);

/// The price at which a monopolist with this cost already stands, given the price elasticity of demand *at
/// the baseline* as a function of the baseline's price: cost * e/(e - 1), or the cap. Nothing where e <= 1
/// and nothing caps the price: profit rises with the price for ever.
std::optional<double> monopoly_baseline_price(const std::function<double(double price)>& elasticity,
                                              double cost, double price_cap);

}  // namespace dspark
