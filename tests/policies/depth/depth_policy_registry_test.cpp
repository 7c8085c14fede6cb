#include "policies/depth/depth_policy_registry.h"

#include <gmock/gmock.h>

#include <set>

#include "tests/policies/written_values.h"

namespace dspark {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::written;
using testing::written_map;

TEST(DepthPolicyRegistry, EveryPolicyHasAMeaningAndEveryParameterToo) {
  ASSERT_FALSE(depth_policies().empty());
  for (const DepthPolicyEntry& entry : depth_policies()) {
    EXPECT_FALSE(entry.meaning.empty()) << entry.name;
    Parameters parameters = Parameters::describing();
    ASSERT_NE(entry.construct(parameters), nullptr) << entry.name;
    for (const ParameterRecord& record : parameters.records()) {
      EXPECT_FALSE(record.meaning.empty()) << entry.name << " " << record.name;
      EXPECT_FALSE(record.type.empty()) << entry.name << " " << record.name;
      EXPECT_TRUE(record.type == "integer" ? !record.unit.empty() : true) << entry.name << " " << record.name;
    }
  }
}

TEST(DepthPolicyRegistry, EveryPolicyReportsAParameterItDoesNotKnow) {
  for (const std::string& name : depth_policy_names()) {
    Parameters parameters(written_map({{"no_such_parameter", written("1")}}));
    EXPECT_NE(make_depth_policy(name, parameters), nullptr);
    parameters.finish();
    EXPECT_THAT(testing::texts(parameters.errors()), Contains(HasSubstr("unknown key 'no_such_parameter'")))
        << name;
  }
}

TEST(DepthPolicyRegistry, NamesAreUniqueAndAnUnknownOneMakesNothing) {
  const std::vector<std::string> names = depth_policy_names();
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
  Parameters parameters{Value{}};
  EXPECT_EQ(make_depth_policy("no_such_policy", parameters), nullptr);
}

TEST(DepthPolicyRegistry, AWrongParameterIsAnErrorAndTheConstructorRunsToItsEnd) {
  Parameters parameters(written_map({{"k", written("seven")}}));
  EXPECT_NE(make_depth_policy("fixed", parameters), nullptr);
  EXPECT_THAT(testing::texts(parameters.errors()),
              Contains(HasSubstr("'k' must be an integer in 0 .. 64, not 'seven'")));
}

TEST(DepthPolicyRegistry, DescribingMeetsNoErrors) {
  for (const DepthPolicyEntry& entry : depth_policies()) {
    Parameters parameters = Parameters::describing();
    entry.construct(parameters);
    parameters.finish();
    EXPECT_THAT(parameters.errors(), IsEmpty()) << entry.name;
  }
}

}  // namespace
}  // namespace dspark
