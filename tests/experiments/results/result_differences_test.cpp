#include "experiments/results/result_differences.h"

#include <gmock/gmock.h>

#include <cmath>

#include "experiments/results/difference_tables.h"
#include "tests/experiments/results/made_result.h"

namespace dspark {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Values = std::vector<double>;

MadePoint point(const std::string& policy, const std::string& users, const Values& throughput,
                bool measured = false, bool lossless = true) {
  return {policy, {users}, {{"throughput", throughput}}, lossless, measured};
}

ResultDifferences compared(const ResultFile& a, const ResultFile& b, const DifferenceOptions& options = {}) {
  auto found = compare_results(a, b, options);
  EXPECT_TRUE(found) << to_string(found.error());
  return *found;
}

TEST(ResultDifferences, AreTakenWithinReplicationsWhereBothSawTheSameCoins) {
  // 110/100, 222/200 and 448/400: +10, +11 and +12 %, mean 11 %, standard error 1 % / √3, t(2) = 4.302653.
  const ResultFile a = made_result({kUsers}, {point("none", "1", {110, 222, 448})});
  const ResultFile b = made_result({kUsers}, {point("none", "1", {100, 200, 400})});
  const ResultDifferences found = compared(a, b);
  EXPECT_TRUE(found.points[0].within_replications);
  EXPECT_NEAR(found.rows[0].error.mean, 0.11, 1e-12);
  EXPECT_NEAR(found.rows[0].error.high, 0.11 + 4.302653 * 0.01 / std::sqrt(3), 1e-8);
  EXPECT_EQ(found.rows[0].is_inside, true);
}

TEST(ResultDifferences, AreOfIndependentMeansWhereSeedReplicationsOrMachineDiffer) {
  const ResultFile a = made_result({kUsers}, {point("none", "1", {110, 222, 448})});
  const ResultFile other_seed = made_result({kUsers}, {point("none", "1", {100, 200, 400})}, 8);
  const ResultFile fewer = made_result({kUsers}, {point("none", "1", {100, 200})});
  const ResultFile measured = made_result({kUsers}, {point("none", "1", {100, 200, 400}, true)});
  for (const ResultFile* b : {&other_seed, &fewer, &measured}) {
    const ResultDifferences found = compared(a, *b);
    EXPECT_FALSE(found.points[0].within_replications);
    const double mean_b = b == &fewer ? 150 : 700.0 / 3;
    EXPECT_NEAR(found.rows[0].error.mean, 260 / mean_b - 1, 1e-12) << "of means, not of ratios";
    EXPECT_GT(found.rows[0].error.high, 0.5);
  }
  EXPECT_EQ(machine_of(a), Machine::kModelled);
  EXPECT_EQ(machine_of(measured), Machine::kMeasured);
}

/// The computer ran at half its time in the second replication, and so did what was measured.
TEST(ResultDifferences, LeaveOutRunsAtAnotherSpeedWhereAskedTo) {
  const ResultFile a = made_result({kUsers}, {point("none", "1", {100, 100, 100, 100})});
  MadePoint measured = point("none", "1", {100, 200, 98, 102}, true);
  measured.baseline = {0.001, 0.0005, 0.00102, 0.001};
  const ResultFile b = made_result({kUsers}, {measured});
  const ResultDifferences all = compared(a, b);
  EXPECT_NEAR(all.rows[0].error.mean, 100.0 / 125 - 1, 1e-12);
  ASSERT_TRUE(all.speed_b);
  EXPECT_FALSE(all.speed_a) << "modelled";
  EXPECT_EQ(all.speed_b->runs, 4u);
  EXPECT_DOUBLE_EQ(all.speed_b->median, 0.001);
  EXPECT_DOUBLE_EQ(all.speed_b->least, 0.0005);
  EXPECT_DOUBLE_EQ(all.speed_b->most, 0.00102);
  EXPECT_EQ(all.speed_b->left_out, 0u) << "nobody asked";

  const ResultDifferences steady =
      compared(a, b, {.metrics = {}, .choices = {}, .fitted = {}, .steady = 0.05});
  EXPECT_EQ(steady.speed_b->left_out, 1u);
  EXPECT_NEAR(steady.rows[0].error.mean, 0, 1e-12);
  EXPECT_EQ(steady.rows[0].b.n, 3);
  const ResultDifferences strict =
      compared(a, b, {.metrics = {}, .choices = {}, .fitted = {}, .steady = 0.01});
  EXPECT_EQ(strict.rows[0].b.n, 2) << "2 % off is too much, too";
  EXPECT_NEAR(strict.rows[0].b.mean, 101, 1e-12);
}

TEST(ResultDifferences, AreSummedUpByMedianWorstAndBias) {
  // Errors +10, -20, +1 and +2 %.
  const ResultFile a =
      made_result({kUsers}, {point("none", "1", {110, 110}), point("none", "2", {80, 80}),
                             point("none", "4", {101, 101}), point("none", "8", {102, 102})});
  const ResultFile b = made_result({kUsers},
                                   {point("none", "1", {90, 110}), point("none", "2", {100, 100}),
                                    point("none", "4", {100, 100}), point("none", "8", {100, 100})},
                                   8);
  const ResultDifferences found = compared(a, b);
  ASSERT_EQ(found.summaries.size(), 1u);
  const ErrorSummary& summary = found.summaries[0];
  EXPECT_EQ(summary.n, 4);
  EXPECT_NEAR(summary.median, 0.06, 1e-12) << "of an even number: between the two in the middle";
  EXPECT_NEAR(summary.worst, 0.2, 1e-12);
  EXPECT_EQ(point_words(found, summary.worst_point), "none, 2 users");
  EXPECT_NEAR(summary.bias, -0.07 / 4, 1e-12);
  EXPECT_EQ(summary.inside, 1) << "the first only: the others of B have intervals of no width";
  EXPECT_EQ(summary.with_interval, 4);
}

TEST(ResultDifferences, OfFittedPointsAreNotAmongThePredicted) {
  const ResultFile a = made_result(
      {kUsers},
      {point("none", "1", {100, 100}), point("dspark", "1", {130, 130}), point("fixed:3", "1", {99, 99})});
  const ResultFile b = made_result(
      {kUsers},
      {point("none", "1", {200, 200}), point("dspark", "1", {100, 100}), point("fixed:3", "1", {100, 100})});
  const ResultDifferences found = compared(a, b, {{}, {}, {"none", "fixed:3"}});
  ASSERT_EQ(found.summaries.size(), 2u);
  EXPECT_EQ(found.summaries[0].role, Role::kPredicted);
  EXPECT_EQ(found.summaries[0].n, 1);
  EXPECT_NEAR(found.summaries[0].worst, 0.3, 1e-12);
  EXPECT_EQ(found.summaries[1].role, Role::kFitted);
  EXPECT_NEAR(found.summaries[1].worst, 0.5, 1e-12);
  const auto wrong = compare_results(a, b, {{}, {}, {"fixed:1"}});
  ASSERT_FALSE(wrong);
  EXPECT_THAT(to_string(wrong.error()), HasSubstr("policy 'fixed:1', said to be fitted"));
}

TEST(ResultDifferences, TheRegretIsWhatTheReferenceLosesWithTheOthersChoice) {
  // At one user both choose dspark; at eight A chooses dspark and B would have had 25 % more with none. The
  // oracle is a bound, and no choice.
  const ResultFile a = made_result(
      {kUsers}, {point("none", "1", {100, 100}), point("dspark", "1", {150, 150}),
                 point("none", "8", {100, 100}), point("dspark", "8", {150, 150}),
                 point("fixed:1", "8", {90, 90}), point("oracle", "8", {400, 400}, false, false)});
  const ResultFile b = made_result(
      {kUsers}, {point("none", "1", {100, 100}), point("dspark", "1", {110, 110}),
                 point("none", "8", {100, 200}), point("dspark", "8", {80, 160}),
                 point("fixed:1", "8", {50, 50}), point("oracle", "8", {400, 400}, false, false)});
  const ResultDifferences found = compared(a, b);
  ASSERT_EQ(found.rankings.size(), 2u);
  EXPECT_EQ(found.rankings[0].best_in_a, found.rankings[0].best_in_b);
  EXPECT_EQ(found.rankings[0].regret.mean, 0);
  EXPECT_EQ(found.points[found.rankings[1].best_in_a].policy_a, "dspark");
  EXPECT_EQ(found.points[found.rankings[1].best_in_b].policy_a, "none");
  EXPECT_NEAR(found.rankings[1].regret.mean, 0.2, 1e-12);
  EXPECT_NEAR(found.rankings[1].regret.low, 0.2, 1e-12) << "within replications: each loses a fifth";
  EXPECT_EQ(found.rankings[1].pairs, 3);
  EXPECT_EQ(found.rankings[1].same_order, 2);
}

TEST(ResultDifferences, SharesOfThroughputAddUp) {
  // Twice the throughput: steps in half the time bring 2, 1.5 times the requests bring 1.5, two thirds of the
  // tokens a request take it back.
  const auto made = [](double throughput, double seconds, double rows, double busy) {
    return made_result({kUsers}, {{"fixed:1",
                                   {"4"},
                                   {{"throughput", {throughput}},
                                    {"step_seconds_mean", {seconds}},
                                    {"batch_tokens", {rows}},
                                    {"prefill_tokens", {2}},
                                    {"verification_length", {1}},
                                    {"busy_share", {busy}}}}});
  };
  const ResultDifferences found =
      compared(made(200, 0.01, 8, 1), made(100, 0.02, 6, 0.5), {{"throughput"}, {}, {}});
  const ThroughputShares& shares = found.shares[0];
  EXPECT_NEAR(shares.total, std::log(2), 1e-12);
  EXPECT_NEAR(shares.step_time, std::log(2), 1e-12);
  EXPECT_NEAR(shares.requests, std::log(1.5), 1e-12);
  EXPECT_NEAR(shares.busy, std::log(2), 1e-12);
  EXPECT_NEAR(shares.tokens_per_request, -std::log(3), 1e-12);
  EXPECT_TRUE(std::isnan(
      compared(made(200, 0.01, 8, 1), made_result({kUsers}, {point("fixed:1", "4", {1})})).shares[0].total))
      << "B does not say how long its steps are";
}

TEST(ResultDifferences, WhatWasNotMeasuredOrIsZeroHasNoError) {
  const double none = std::nan("");
  const ResultFile a = made_result({kUsers}, {point("none", "1", {1, 1}), point("none", "2", {1, 1}),
                                              point("none", "4", {2, 2}), point("none", "8", {2, none})});
  const ResultFile b = made_result({kUsers},
                                   {point("none", "1", {0, 0}), point("none", "2", {none, none}),
                                    point("none", "4", {1, 1}), point("none", "8", {none, 1})},
                                   8);
  const ResultDifferences found = compared(a, b);
  ASSERT_EQ(found.rows.size(), 4u);
  EXPECT_TRUE(std::isnan(found.rows[0].error.mean));
  EXPECT_TRUE(std::isnan(found.rows[1].error.mean));
  EXPECT_EQ(found.rows[3].error.mean, 1);
  EXPECT_TRUE(std::isnan(found.rows[3].error.low));
  EXPECT_EQ(found.rows[3].is_inside, std::nullopt) << "one replication has no interval";
  EXPECT_EQ(found.summaries[0].n, 2);
}

TEST(ResultDifferences, UsualMetricsAreThoseOfBothAndNamedOnesMustBeInBoth) {
  const ResultFile a = made_result({kUsers}, {{"none", {"1"}, {{"throughput", {1}}, {"ttft_mean", {1}}}}});
  const ResultFile b = made_result({kUsers}, {{"none", {"1"}, {{"ttft_mean", {1}}, {"itl_p99", {1}}}}});
  const ResultDifferences found = compared(a, b);
  ASSERT_EQ(found.metrics.size(), 1u);
  EXPECT_EQ(found.metrics[0].name, "ttft_mean");
  const auto wrong = compare_results(a, b, {{"itl_p99"}, {}, {}});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(to_string(wrong.error()), "A has no metric 'itl_p99' (known: throughput, ttft_mean)");
  const ResultFile other = made_result({kUsers}, {{"none", {"1"}, {{"itl_p99", {1}}}}});
  EXPECT_FALSE(compare_results(a, other, {}));
}

TEST(ResultDifferences, AsATableTheyHaveOneRowPerMetricAndPoint) {
  const ResultFile a = made_result({kUsers}, {point("none", "1", {110, 110}), point("x", "2", {1, 1})});
  const ResultFile b = made_result({kUsers}, {point("none", "1", {100, 100})});
  const ResultDifferences found = compared(a, b, {{}, {}, {"none"}});
  const Table table = differences_table(found);
  EXPECT_EQ(table.rows(), 1u);
  for (const Column& column : table.columns) EXPECT_EQ(column.size(), 1u) << column.name;
  EXPECT_THAT(table.texts("role"), ElementsAre("fitted"));
  EXPECT_THAT(table.texts(kUsers), ElementsAre("1"));
  const Table lone = lone_points_table(found, a, b);
  EXPECT_THAT(lone.texts("values"), ElementsAre("policy=x, " + kUsers + "=2"));
  EXPECT_THAT(lone.texts("file"), ElementsAre("a"));
}

}  // namespace
}  // namespace dspark
