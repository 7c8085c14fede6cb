#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policies/batching/batching_policy.h"
#include "policies/parameters.h"

namespace dspark {

/// Constructs `Policy`; the last line of each policy's file instantiates this for its class (see
/// decode_first.cpp), and the registry refers to it by name, so that no policy needs a header.
template <class Policy>
std::unique_ptr<BatchingPolicy> construct_batching_policy(Parameters& parameters) {
  return std::make_unique<Policy>(parameters);
}

struct BatchingPolicyEntry {
  std::string name;
  std::string meaning;
  std::unique_ptr<BatchingPolicy> (*construct)(Parameters&);
};

/// All policies of batching_policies.inc, in its order.
const std::vector<BatchingPolicyEntry>& batching_policies();
std::vector<std::string> batching_policy_names();

/// The policy, or nullptr where `name` is not registered; wrong parameters are errors of `parameters`.
std::unique_ptr<BatchingPolicy> make_batching_policy(const std::string& name, Parameters& parameters);

}  // namespace dspark
