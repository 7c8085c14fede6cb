#include <gmock/gmock.h>

#include <numeric>
#include <random>
#include <vector>

#include "policies/batching/batching_policy_registry.h"
#include "tests/policies/written_values.h"

namespace dspark {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::int32_t> granted(const std::string& name, const std::vector<BatchCandidate>& candidates,
                                  int budget) {
  Parameters parameters{Value{}};
  std::vector<std::int32_t> rows(candidates.size(), -1);
  make_batching_policy(name, parameters)->grant(candidates, budget, rows);
  return rows;
}

const std::vector<BatchCandidate> kCandidates = {{true, 8}, {false, 100}, {true, 8}, {false, 50}};

TEST(DecodeFirst, RepliesAreServedBeforePrompts) {
  EXPECT_THAT(granted("decode_first", kCandidates, 1000), ElementsAre(8, 100, 8, 50));
  EXPECT_THAT(granted("decode_first", kCandidates, 56), ElementsAre(8, 40, 8, 0)) << "the prompt is chunked";
  EXPECT_THAT(granted("decode_first", kCandidates, 10), ElementsAre(8, 0, 2, 0));
}

TEST(PrefillFirst, PromptsAreServedBeforeReplies) {
  EXPECT_THAT(granted("prefill_first", kCandidates, 120), ElementsAre(0, 100, 0, 20));
  EXPECT_THAT(granted("prefill_first", kCandidates, 153), ElementsAre(3, 100, 0, 50));
}

TEST(BatchingPolicies, NoBudgetIsExceededAndNoneIsLeftWhileSomebodyWants) {
  std::mt19937 coins(41);
  for (const BatchingPolicyEntry& entry : batching_policies()) {
    for (int trial = 0; trial < 500; ++trial) {
      std::vector<BatchCandidate> candidates(coins() % 20);
      int wanted = 0;
      for (BatchCandidate& candidate : candidates) {
        candidate = {coins() % 2 == 0, static_cast<std::int32_t>(coins() % 30)};
        wanted += candidate.wanted_rows;
      }
      const int budget = static_cast<int>(coins() % 300);
      const auto rows = granted(entry.name, candidates, budget);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        ASSERT_GE(rows[i], 0) << entry.name;
        ASSERT_LE(rows[i], candidates[i].wanted_rows) << entry.name;
      }
      ASSERT_EQ(std::accumulate(rows.begin(), rows.end(), 0), std::min(wanted, budget)) << entry.name;
    }
  }
}

TEST(BatchingPolicyRegistry, EveryPolicyHasAMeaningAndReportsAParameterItDoesNotKnow) {
  EXPECT_THAT(batching_policy_names(), ElementsAre("decode_first", "prefill_first"));
  for (const BatchingPolicyEntry& entry : batching_policies()) {
    EXPECT_FALSE(entry.meaning.empty());
    Parameters parameters(testing::written_map({{"no_such_parameter", testing::written("1")}}));
    EXPECT_NE(entry.construct(parameters), nullptr);
    parameters.finish();
    EXPECT_THAT(testing::texts(parameters.errors()), Contains(HasSubstr("unknown key"))) << entry.name;
  }
  Parameters parameters{Value{}};
  EXPECT_EQ(make_batching_policy("no_such_policy", parameters), nullptr);
}

}  // namespace
}  // namespace dspark
