#pragma once

#include <string>
#include <vector>

#include "sim/demand/demand_loop.h"

namespace dspark {

/// A load that demand answers with itself.
struct FixedPoint {
  MarketState state = {};
  /// d ln demand / d ln load once round the loop. With partial adjustment by a share k per period the point
  /// is stable iff 1 - 2/k < slope < 1: at 1 and above demand tips away whatever k is; below -1 only k < 2/(1
  /// - slope) settles.
  double slope = 0;
  bool tips() const { return slope >= 1; }
  /// The largest k at which it is stable, at most 1; 0 where it tips.
  double largest_adjustment() const { return tips() ? 0 : slope >= -1 ? 1 : 2 / (1 - slope); }
};

enum class Existence {
  kFound,       // at least one fixed point, those found are listed
  kRationed,    // demand exceeds what the chips serve at any waiting: requests are turned away, all equally
                // likely
  kAlternates,  // demand jumps across the load: with n chips more is asked than they were bought for, with
                // more less
  kRunsAway,    // demand exceeds the load wherever it was looked for: falling average cost without saturation
  kVanishes,    // demand is below the load wherever it was looked for
};

/// What was found, never all that there is: between 10^-6 and 10^6 times the baseline's load.
struct Equilibria {
  Existence existence = Existence::kVanishes;
  std::vector<FixedPoint> found = {};  // by load, least first
  MarketState at_limit = {};           // kRationed: the largest load, with the demand that it leaves unserved
  double fewer_gpus = 0;               // kAlternates: on the two sides of the jump
  double more_gpus = 0;
};

/// One segment: sign changes of the excess on a grid of 1200 loads, each closed in on by TOMS 748. Several:
/// damped iteration of tokens and requests from 13 loads, those that agree counted once; where none settles,
/// the grid.
Equilibria find_equilibria(const DemandLoop& loop);

/// Follows the equilibrium from the baseline's frozen demand to the full answer, raising the strength of all
/// answers from 0 to 1: the branch that belongs to the baseline. Broken where the point jumps, tips, or meets
/// the largest load; `reason` then says which.
struct Branch {
  bool whole = false;
  FixedPoint end = {};
  std::string reason = {};
};
Branch follow_branch(const DemandLoop& loop);

/// The fixed point that is reached from `log_tokens` by walking up where demand exceeds the load and down
/// where not.
Branch nearest_equilibrium(const DemandLoop& loop, double log_tokens);

}  // namespace dspark
