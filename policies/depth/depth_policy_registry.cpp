#include "policies/depth/depth_policy_registry.h"

#include <algorithm>

namespace dspark {

#define DEPTH_POLICY(name, Class, meaning) \
  class Class;                             \
  extern template std::unique_ptr<DepthPolicy> construct_depth_policy<Class>(Parameters&);
#include "policies/depth/depth_policies.inc"
#undef DEPTH_POLICY

const std::vector<DepthPolicyEntry>& depth_policies() {
  static const std::vector<DepthPolicyEntry> entries = {
#define DEPTH_POLICY(name, Class, meaning) {#name, meaning, &construct_depth_policy<Class>},
#include "policies/depth/depth_policies.inc"
#undef DEPTH_POLICY
  };
  return entries;
}

std::vector<std::string> depth_policy_names() {
  std::vector<std::string> names;
  for (const DepthPolicyEntry& entry : depth_policies()) names.push_back(entry.name);
  return names;
}

std::unique_ptr<DepthPolicy> make_depth_policy(const std::string& name, Parameters& parameters) {
  const auto& entries = depth_policies();
  const auto entry = std::find_if(entries.begin(), entries.end(), [&](auto& e) { return e.name == name; });
  return entry == entries.end() ? nullptr : entry->construct(parameters);
}

}  // namespace dspark
