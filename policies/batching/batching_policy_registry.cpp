#include "policies/batching/batching_policy_registry.h"

#include <algorithm>

namespace dspark {

#define BATCHING_POLICY(name, Class, meaning) \
  class Class;                                \
  extern template std::unique_ptr<BatchingPolicy> construct_batching_policy<Class>(Parameters&);
#include "policies/batching/batching_policies.inc"
#undef BATCHING_POLICY

const std::vector<BatchingPolicyEntry>& batching_policies() {
  static const std::vector<BatchingPolicyEntry> entries = {
#define BATCHING_POLICY(name, Class, meaning) {#name, meaning, &construct_batching_policy<Class>},
#include "policies/batching/batching_policies.inc"
#undef BATCHING_POLICY
  };
  return entries;
}

std::vector<std::string> batching_policy_names() {
  std::vector<std::string> names;
  for (const BatchingPolicyEntry& entry : batching_policies()) names.push_back(entry.name);
  return names;
}

std::unique_ptr<BatchingPolicy> make_batching_policy(const std::string& name, Parameters& parameters) {
  const auto& entries = batching_policies();
  const auto entry = std::find_if(entries.begin(), entries.end(), [&](auto& e) { return e.name == name; });
  return entry == entries.end() ? nullptr : entry->construct(parameters);
}

}  // namespace dspark
