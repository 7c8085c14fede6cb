#include <gmock/gmock.h>

#include <vector>

#include "policies/depth/depth_policy_registry.h"
#include "policies/depth/owned_frontier.h"

namespace dspark {
namespace {

using ::testing::ElementsAre;

/// Verification lengths that half_block chooses for three requests with blocks of 7, 4 and 1 draft tokens.
std::vector<int> lengths_with(Parameters parameters) {
  const std::unique_ptr<DepthPolicy> policy = make_depth_policy("half_block", parameters);
  parameters.finish();
  EXPECT_TRUE(policy && parameters.errors().empty());

  const std::vector<int> blocks{7, 4, 1};
  const std::vector<RequestId> ids{RequestId{0}, RequestId{1}, RequestId{2}};
  const std::vector<float> confidence(7 * ids.size(), 0.9f);
  DraftColumns drafts;
  drafts.stride = ids.size();
  drafts.drafted = blocks;
  drafts.confidence = confidence;
  OwnedFrontier frontier;
  frontier.reset(drafts);
  Step step;
  step.request.id = ids;
  step.planned = blocks;
  policy->choose(step, frontier);
  return {frontier.admitted().begin(), frontier.admitted().end()};
}

TEST(HalfBlock, IsRegisteredByItsOneLine) { EXPECT_EQ(depth_policies().back().name, "half_block"); }

TEST(HalfBlock, VerifiesTheFirstHalfOfEachBlockRoundedUp) {
  EXPECT_THAT(lengths_with(Parameters(Value{})), ElementsAre(4, 2, 1));
}

TEST(HalfBlock, ReadsItsShareFromTheExperiment) {
  Value::Map written;
  written.push_back({"share", {}, {"0.25", {}}});
  EXPECT_THAT(lengths_with(Parameters(Value{written})), ElementsAre(2, 1, 1));
}

TEST(HalfBlock, RefusesAShareAboveOneAndAParameterItDoesNotHave) {
  Value::Map written;
  written.push_back({"share", {}, {"1.5", {}}});
  written.push_back({"shares", {}, {"0.5", {}}});
  Parameters parameters{Value{written}};
  make_depth_policy("half_block", parameters);
  parameters.finish();
  EXPECT_EQ(parameters.errors().size(), 2u);
}

}  // namespace
}  // namespace dspark
