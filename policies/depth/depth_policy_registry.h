#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policies/depth/depth_policy.h"
#include "policies/parameters.h"

namespace dspark {

/// Constructs `Policy`; the last line of each policy's file instantiates this for its class (see fixed.cpp),
/// and the registry refers to it by name, so that no policy needs a header.
template <class Policy>
std::unique_ptr<DepthPolicy> construct_depth_policy(Parameters& parameters) {
  return std::make_unique<Policy>(parameters);
}

struct DepthPolicyEntry {
  std::string name;
  std::string meaning;
  std::unique_ptr<DepthPolicy> (*construct)(Parameters&);
};

/// All policies of depth_policies.inc, in its order.
const std::vector<DepthPolicyEntry>& depth_policies();
std::vector<std::string> depth_policy_names();

/// The policy, or nullptr where `name` is not registered; wrong parameters are errors of `parameters`.
std::unique_ptr<DepthPolicy> make_depth_policy(const std::string& name, Parameters& parameters);

}  // namespace dspark
