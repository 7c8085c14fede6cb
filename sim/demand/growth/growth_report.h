#pragma once

#include "sim/demand/growth/growth_path.h"
#include "sim/demand/rebound.h"

namespace dspark {

/// A path with the policy, beside the same path without it: rebound is judged at the same epoch.
struct GrowthReport {
  GrowthPath with_policy = {};
  GrowthPath without_policy = {};
  /// The demand of `without_policy`, served with the policy: what engineering alone would use.
  GrowthPath engineering = {};
  /// Of each epoch: baseline is the path without the policy.
  std::vector<std::array<ResourceRebound, kResources>> resources = {};
  std::array<ResourceRebound, kResources> in_all = {};  // sums over the epochs
  std::string broken = {};                              // which path broke off where; empty: none did
};

/// Follows the three paths. Where less than 1e-6 of a resource is saved there is no R.
GrowthReport study_growth(Market& market, const GrowthPlan& plan);

}  // namespace dspark
