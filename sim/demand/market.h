#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/demand/pricing.h"
#include "sim/demand/segment.h"
#include "sim/demand/simulated_step.h"
#include "sim/demand/supply.h"

namespace dspark {

/// The market before the step in efficiency. It is an equilibrium by construction: segments are anchored at
/// it.
struct MarketBaseline {
  ServedLoad load = {};
  SupplyPoint point = {};
  double price = 0;                         // $ per million weighted tokens
  std::vector<Conditions> conditions = {};  // of each segment
};

/// Who asks, who serves, at which price: everything that an equilibrium is a function of.
struct Market {
  std::string title = {};
  EfficiencyGain gain = {};
  std::optional<MeasuredStep> measured = {};  // where supply is simulated: `gain` is from there
  double context_token_weight = 0.25;
  std::vector<Segment> segments = {};
  std::unique_ptr<const Supply> before = {};  // nullptr where surfaces are not there yet
  std::unique_ptr<const Supply> after = {};
  OperatingRule rule = {};  // of `after`
  Pricing pricing = {};
  MarketBaseline baseline = {};
  std::vector<Assumption> assumptions = {};

  /// What a user of segment `index` meets at this point and price.
  Conditions conditions(std::size_t index, const SupplyPoint& point, double price) const;
  /// d ln tokens / d ln price of the whole demand at the baseline, latency unchanged, written positive.
  double price_elasticity() const;
};

/// Reads gain, segments, supply, price and operator, and calibrates the baseline. Errors are added to
/// `parameters`; after one the market is not to be used. Among them: a monopolist without a largest profit, a
/// user speed that the machine does not reach, chips that cannot serve the baseline, applications that do not
/// exist there. `surfaces`: for a simulated supply; where it has none yet, all but the supplies is read.
Market read_market(Parameters& parameters, SurfaceSource* surfaces = nullptr);

}  // namespace dspark
