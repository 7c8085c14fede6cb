#pragma once

#include <optional>
#include <vector>

#include "sim/demand/market.h"

namespace dspark {

/// Which reactions of demand are let loose in a solve; the rest stays as at the baseline.
struct DemandAnswers {
  ActiveChannels channels = {};
  bool to_price = true;
  bool to_latency = true;  // and to user speed
  double strength = 1;     // of all answers; 0 freezes demand
};

/// A load, what serves it, what that costs and what demand answers.
struct MarketState {
  ServedLoad load = {};
  SupplyPoint point = {};
  double price = 0;  // $ per million weighted tokens
  DemandedLoad demand = {};
  std::vector<DemandedLoad> by_segment = {};
};

/// Once round the loop of load, cost and waiting, price, and demand. Refers to the market.
class DemandLoop {
 public:
  /// held: chips are bought as that point asks for (Supply::sized); else as the supply has them.
  DemandLoop(const Market& market, const Supply& supply, const OperatingRule& rule,
             const DemandAnswers& answers, std::optional<SupplyPoint> held = std::nullopt);

  /// What demand answers to a load, 0 < tokens_per_second <= largest_load().
  MarketState answer(double tokens_per_second, double requests_per_second) const;
  /// The same where requests come in the mix that demand itself has there.
  MarketState answer(double tokens_per_second) const;
  /// ln of the tokens demanded at e^log_tokens, minus log_tokens: 0 at an equilibrium, where demand crosses
  /// from above if it is to be stable.
  double excess(double log_tokens) const;
  /// d ln demand / d ln load round the loop, at a load.
  double slope(double log_tokens) const;
  double largest_load() const;
  double log_largest_load() const;  // infinite where it is
  /// What the provider asks for a million weighted tokens at this load, which is served so.
  double price(const ServedLoad& load, const SupplyPoint& point) const;

  const Market& market() const { return *market_; }
  DemandLoop with_strength(double strength) const;

 private:
  SupplyPoint serve(const ServedLoad& load) const;
  double waiting_per_token(const ServedLoad& load) const;
  Conditions seen(std::size_t segment, const SupplyPoint& point, double price) const;

  const Market* market_;
  const Supply* supply_;
  OperatingRule rule_;
  DemandAnswers answers_;
  std::optional<SupplyPoint> held_;
};

}  // namespace dspark
