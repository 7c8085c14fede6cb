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
  };
  Kind kind = Kind::kAverageCost;
  double markup = 0;        // of kAverageCost: share of the cost, >= 0
  double pass_through = 1;  // of kAverageCost: d ln price / d ln cost, 0 .. 1
  double fixed = 0;         // of kFixed: $/Mtoken
  double price_cap = 0;     // of kMonopoly: $/Mtoken; 0: none
};

Pricing read_pricing(Parameters& parameters);

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
