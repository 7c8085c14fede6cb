#pragma once

#include <array>
#include <string>
#include <vector>

#include "sim/demand/growth/fleet.h"

namespace dspark {

/// What makes the tokens of an epoch more or less than those of the baseline. The parts of a change add up to
/// it (logarithmic mean Divisia decomposition, Ang 2005).
enum TokenChannel : std::size_t {
  kOwnGrowth,         // of the segments, whatever tokens cost
  kMoreRequests,      // volume
  kLongerRequests,    // intensity
  kMoreApplications,  // new applications
  kLimits,            // saturation and budgets, below 0
  kTokenChannels
};

/// Servers alike, and what they serve.
struct ServerShare {
  double equivalents = 0;  // as a fleet counts them
  ServedLoad load = {};
};

/// One epoch of a path. Rates are means over it.
struct EpochState {
  double years = 0;         // since the baseline
  double policy_share = 0;  // of the servers
  Fleet::Size fleet = {};
  ServerShare without_policy = {};
  ServerShare with_policy = {};
  ServedLoad load = {};    // served
  SupplyPoint point = {};  // of the whole fleet; user speed and waiting are means over the tokens
  double price = 0;        // paid, $ per million weighted tokens
  DemandedLoad demand = {};
  double lost_tokens_per_second = 0;  // demanded and turned away, all requests equally likely
  double latency_seconds = 0;         // of a request of the baseline's mean length
  double surplus_per_hour = 0;        // consumers' surplus over that of the baseline's price and waiting, $/h
  std::array<double, kTokenChannels> tokens_by_channel = {};  // demanded now minus at the baseline, tokens/s
  std::vector<DemandedLoad> by_segment = {};                  // demanded
};

/// A path through time, or why it broke off.
struct GrowthPath {
  std::vector<EpochState> epochs = {};
  std::string broken = {};
};

/// The market from epoch to epoch: GPUs arrive and retire, the policy spreads, prices are renewed, demand
/// answers, GPUs are ordered. Within an epoch load, waiting, price and demand are solved together, on the
/// branch of the epoch before (TOMS 748). `market` is the baseline; it is changed while this runs and put
/// back.
///
/// with_policy: servers adopt the policy as planned; else none does.
/// frozen: nullptr, or the path whose demand is served instead of what this one's prices would call for; its
/// tokens by channel are then this path's, while the surplus is that of the demand that is not let loose.
GrowthPath follow_growth(Market& market, const GrowthPlan& plan, bool with_policy,
                         const GrowthPath* frozen = nullptr);

}  // namespace dspark
