// The study of all policies has all policies: a new one cannot be forgotten in it.
#include <gmock/gmock.h>

#include <set>

#include "experiments/schema/experiment.h"
#include "policies/depth/depth_policy_registry.h"

namespace dspark {
namespace {

/// `fixed` of `fixed:7`, `floor` of `{floor: {tokens: 1}}`.
std::string name_of(const std::string& policy) {
  const std::size_t begin = policy.starts_with('{') ? 1 : 0;
  return policy.substr(begin, policy.find(':', begin) - begin);
}

TEST(AllPolicies, EveryRegisteredPolicyIsInTheStudy) {
  Errors errors;
  const auto study = read_experiment(DSPARK_SOURCE_DIR "/experiments/studies/all_policies.yaml", {}, errors);
  ASSERT_TRUE(study) << (errors.empty() ? "" : to_string(errors[0]));
  std::set<std::string> studied;
  for (const Point& point : study->points) studied.insert(name_of(point.policy));
  const std::vector<std::string> registered = depth_policy_names();
  EXPECT_EQ(studied, std::set<std::string>(registered.begin(), registered.end()));
}

}  // namespace
}  // namespace dspark
