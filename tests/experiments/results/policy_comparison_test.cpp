#include "experiments/results/policy_comparison.h"

#include <gmock/gmock.h>

#include <cmath>

namespace dspark {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// One point of a result made by hand: throughput by replication.
struct MadePoint {
  std::string policy;
  double users = 1;
  std::vector<double> throughput;
  bool lossless = true;
};

/// Each policy rejects 0.25 tokens per output token for each row of /points before it.
ResultFile made(const std::vector<MadePoint>& points) {
  Integers number, lossless, point, replication;
  Texts policy, metric;
  Numbers users, value;
  for (const MadePoint& made : points) {
    number.push_back(static_cast<std::int64_t>(number.size()));
    policy.push_back(made.policy);
    users.push_back(made.users);
    lossless.push_back(made.lossless ? 1 : 0);
    for (std::size_t r = 0; r < made.throughput.size(); ++r) {
      if (std::isnan(made.throughput[r])) continue;
      for (const char* name : {"throughput", "wasted_per_output_token"}) {
        point.push_back(number.back());
        replication.push_back(static_cast<std::int64_t>(r));
        metric.push_back(name);
        value.push_back(*name == 't' ? made.throughput[r] : 0.25 * static_cast<double>(number.back()));
      }
    }
  }
  ResultFile file;
  file.attributes = {{"replications", static_cast<std::int64_t>(points.front().throughput.size())}};
  file.tables.push_back({"points",
                         "",
                         true,
                         {{"point", "1", "", std::move(number)},
                          {"policy", "", "", std::move(policy)},
                          {"workload.arrivals.closed_loop.users", "", "", std::move(users)},
                          {"policy_lossless", "1", "", std::move(lossless)}}});
  file.tables.push_back({"metric_catalogue",
                         "",
                         true,
                         {{"metric", "", "", Texts{"throughput", "wasted_per_output_token"}},
                          {"unit", "", "", Texts{"tokens/s", "1"}}}});
  file.tables.push_back({"replications",
                         "",
                         false,
                         {{"point", "1", "", std::move(point)},
                          {"replication", "1", "", std::move(replication)},
                          {"metric", "", "", std::move(metric)},
                          {"value", "", "", std::move(value)}}});
  return file;
}

PolicyComparison compared(const ResultFile& file, const std::string& baseline = "") {
  auto comparison = compare_policies(file, "", baseline);
  EXPECT_TRUE(comparison) << to_string(comparison.error());
  return *comparison;
}

TEST(PolicyComparison, DifferencesAreTakenWithinReplicationsAndTestedAsAFamily) {
  // Against `none` (100, 200, 400): +10, +11 and +12 % have mean 11 %, standard error 1 % / √3, t = 11 √3 and
  // with two degrees of freedom p = 1 - t / √(t² + 2) = 0.002744; -1, +1 and +3 % have t = √3 / 2, p =
  // 0.477722. The family of two: 0.005488 and 0.477722.
  const PolicyComparison c = compared(
      made({{"none", 1, {100, 200, 400}}, {"fixed:1", 1, {110, 222, 448}}, {"fixed:2", 1, {99, 202, 412}}}));
  EXPECT_EQ(c.metric, "throughput");
  EXPECT_EQ(c.baseline, "none");
  EXPECT_EQ(c.family, 2u);
  EXPECT_NEAR(c.rows[1].difference.mean, 0.11, 1e-12);
  EXPECT_NEAR(c.rows[1].difference.high, 0.11 + 4.302653 * 0.01 / std::sqrt(3), 1e-8);
  EXPECT_NEAR(c.rows[1].p_value, 0.002744, 1e-6);
  EXPECT_NEAR(c.rows[1].p_adjusted, 2 * 0.002744, 2e-6);
  EXPECT_TRUE(c.rows[1].significant);
  EXPECT_NEAR(c.rows[2].p_adjusted, 1 - std::sqrt(3.0 / 11), 1e-6);
  EXPECT_FALSE(c.rows[2].significant);
  EXPECT_TRUE(c.rows[0].is_baseline);
  EXPECT_TRUE(std::isnan(c.rows[0].p_adjusted));
  EXPECT_EQ(c.rows[2].wasted_per_output_token, 0.5);
}

TEST(PolicyComparison, EachLoadHasItsOwnBaselineAndAllShareOneFamily) {
  const PolicyComparison c = compared(made({{"none", 1, {100, 101, 103}},
                                            {"none", 64, {200, 210, 190}},
                                            {"fixed:1", 1, {150, 151, 153}},
                                            {"fixed:1", 64, {200, 210, 190}}}));
  EXPECT_THAT(c.settings, ElementsAre(ElementsAre("1"), ElementsAre("64")));
  EXPECT_THAT(c.policies, ElementsAre("none", "fixed:1"));
  EXPECT_EQ(c.family, 2u);
  EXPECT_GT(c.rows[2].difference.mean, 0.45);
  EXPECT_EQ(c.rows[3].difference.mean, 0);
  EXPECT_EQ(c.rows[3].p_adjusted, 1) << "the same in every replication";
}

TEST(PolicyComparison, TheShareOfTheOraclesGainIsOfMeans) {
  const PolicyComparison c = compared(made({{"none", 1, {100, 120}},
                                            {"fixed:1", 1, {130, 140}},
                                            {"fixed:2", 1, {90, 100}},
                                            {"oracle", 1, {200, 240}, false}}));
  EXPECT_DOUBLE_EQ(c.rows[1].share_of_oracle_gain, 50.0 / 220);
  EXPECT_DOUBLE_EQ(c.rows[2].share_of_oracle_gain, -30.0 / 220);
  EXPECT_DOUBLE_EQ(c.rows[3].share_of_oracle_gain, 1);
  EXPECT_FALSE(c.rows[3].lossless);
}

TEST(PolicyComparison, WhereTheOracleHasNoClearGainThereIsNoShare) {
  const PolicyComparison c =
      compared(made({{"none", 1, {100, 120}}, {"fixed:1", 1, {130, 140}}, {"oracle", 1, {99, 130}, false}}));
  EXPECT_TRUE(std::isnan(c.rows[1].share_of_oracle_gain));
}

TEST(PolicyComparison, WithoutNoneTheFirstPolicyIsTheBaselineUnlessOneIsGiven) {
  const ResultFile file = made({{"fixed:1", 1, {1, 2}}, {"fixed:2", 1, {2, 3}}});
  EXPECT_EQ(compared(file).baseline, "fixed:1");
  EXPECT_EQ(compared(file, "fixed:2").baseline, "fixed:2");
  const ResultFile one_of_each = made({{"fixed:1", 1, {1, 2}}, {"{floor: {tokens: 2}}", 1, {2, 3}}});
  EXPECT_EQ(compared(one_of_each, "floor").baseline, "{floor: {tokens: 2}}");
  EXPECT_FALSE(compare_policies(file, "", "fixed")) << "two of that name";
  const auto wrong = compare_policies(file, "", "fixed:3");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(to_string(wrong.error()), HasSubstr("no policy 'fixed:3'"));
  EXPECT_FALSE(compare_policies(file, "ttft_p99", ""));
}

TEST(PolicyComparison, WhatWasMeasuredOnceOrNotAtAllIsNotTested) {
  const double none = std::nan("");
  const PolicyComparison c =
      compared(made({{"none", 1, {100, 120}}, {"fixed:1", 1, {130, none}}, {"fixed:1", 64, {130, 140}}}));
  EXPECT_EQ(c.family, 0u);
  EXPECT_EQ(c.rows[1].difference.n, 1);
  EXPECT_FALSE(c.rows[1].significant);
  EXPECT_EQ(c.rows[2].difference.n, 0) << "no baseline at 64 users";
}

TEST(PolicyComparison, AsATableItHasOneRowPerPolicyAndSetting) {
  const Table table = comparison_table(compared(made({{"none", 1, {100, 120}}, {"fixed:1", 1, {130, 140}}})));
  EXPECT_EQ(table.rows(), 2u);
  for (const Column& column : table.columns) EXPECT_EQ(column.size(), 2u) << column.name;
  EXPECT_THAT(table.texts("baseline"), ElementsAre("none", "none"));
  EXPECT_THAT(table.integers("n"), ElementsAre(0, 2));
}

}  // namespace
}  // namespace dspark
