#include "experiments/results/comparisons.h"

#include <gmock/gmock.h>

#include "experiments/results/result_tables.h"
#include "tests/experiments/small_experiment.h"

namespace dspark {
namespace {

using testing::DoubleEq;
using testing::Each;
using testing::ElementsAre;
using testing::IsNan;

SweepResults run_all(const Experiment& experiment) {
  SweepResults results;
  for (const Point& point : experiment.points) {
    for (int r = 0; r < experiment.replications; ++r) {
      results.emplace_back(*point.scenario->run(experiment.seed, static_cast<std::uint32_t>(r), nullptr));
    }
  }
  return results;
}

TEST(Comparisons, TheLoadAxisIsTheNumericOneOfTheArrivals) {
  EXPECT_EQ(load_axis(small_experiment()), 1);
  Experiment without = small_experiment();
  for (Point& point : without.points) point.axis_texts[1] = "poisson";
  EXPECT_EQ(load_axis(without), -1);
  EXPECT_EQ(figure_axis(without), -1);
}

TEST(Comparisons, OnlyUsersRateAndTimeScaleAreLoad) {
  const std::string arrivals = "workload.arrivals.";
  for (const char* path : {"closed_loop.users", "poisson.rate", "gamma.rate", "azure_trace.time_scale"}) {
    Experiment experiment = small_experiment();
    experiment.axes[1] = arrivals + path;
    EXPECT_EQ(load_axis(experiment), 1) << path;
  }
  for (const char* path : {"closed_loop.think_seconds", "gamma.cv", "azure_trace.keep"}) {
    Experiment experiment = small_experiment();
    experiment.axes[1] = arrivals + path;
    EXPECT_EQ(load_axis(experiment), -1) << path;
    EXPECT_EQ(figure_axis(experiment), 1) << path;  // figures need something along x
    const Table table = crossovers_table(experiment, MetricSamples(experiment, run_all(experiment)));
    EXPECT_THAT(table.numbers("load"), Each(IsNan())) << path;
    EXPECT_THAT(table.integers("changed"), Each(0)) << path;
  }
}

TEST(Comparisons, ARateAfterAVariationIsStillTheLoad) {
  Experiment experiment = small_experiment();
  experiment.axes = {"policy", "workload.arrivals.gamma.cv", "workload.arrivals.gamma.rate"};
  for (Point& point : experiment.points) point.axis_texts.insert(point.axis_texts.begin() + 1, "3");
  EXPECT_EQ(load_axis(experiment), 2);
  EXPECT_EQ(figure_axis(experiment), 2);
}

TEST(Comparisons, ALowerTimeScaleIsMoreLoad) {
  Experiment experiment = small_experiment();
  experiment.axes[1] = "workload.arrivals.azure_trace.time_scale";
  for (Point& point : experiment.points) {  // 1, 16 and 256 users become the scales 1, 1/16 and 1/256
    point.axis_texts[1] = number_text(1 / *parse_number(point.axis_texts[1]));
  }
  const Table table = crossovers_table(experiment, MetricSamples(experiment, run_all(experiment)));
  EXPECT_THAT(table.numbers("load"), ElementsAre(1, 1.0 / 16, 1.0 / 256));
  EXPECT_THAT(table.texts("policy"), ElementsAre("fixed:7", "fixed:7", "none"));
  EXPECT_THAT(table.integers("changed"), ElementsAre(0, 0, 1));
}

TEST(Comparisons, PoliciesAreRankedByThroughputInClosedLoopsAndByUserSpeedWhereArrivalsAreOpen) {
  Experiment experiment = small_experiment();
  for (std::size_t p = 0; p < experiment.points.size(); ++p) {
    const char* const kinds[] = {"closed_loop", "poisson", "azure_trace"};
    experiment.points[p].arrivals = kinds[p % 3];  // by load
  }
  const Table table = crossovers_table(experiment, MetricSamples(experiment, run_all(experiment)));
  EXPECT_THAT(table.texts("metric"), ElementsAre("throughput", "user_speed_mean", "user_speed_mean"));
  // k 7 at 1 and 16 users, k 0 at 256; replications add 0, 1 and 2 %; a user's speed is the throughput's
  // share.
  EXPECT_THAT(table.numbers("value"),
              ElementsAre(DoubleEq(8 / 1.07 * 1.01), DoubleEq(8 / 2.12 * 1.01), DoubleEq(1.01)));
}

TEST(Comparisons, WhereTheRankedMetricIsNotKeptThereIsNoCrossover) {
  Experiment experiment = small_experiment();
  for (Point& point : experiment.points) point.arrivals = "gamma";
  experiment.metrics = {"throughput"};
  EXPECT_EQ(crossovers_table(experiment, MetricSamples(experiment, run_all(experiment))).rows(), 0u);
}

TEST(Comparisons, CrossoversAreWhereTheBestPolicyChanges) {
  // users (1 + k) / (1 + k users / 100): k 7 leads at 1 and 16 users, k 0 at 256.
  const Experiment experiment = small_experiment();
  const Table table = crossovers_table(experiment, MetricSamples(experiment, run_all(experiment)));
  EXPECT_THAT(table.numbers("load"), ElementsAre(1, 16, 256));
  EXPECT_THAT(table.texts("policy"), ElementsAre("fixed:7", "fixed:7", "none"));
  EXPECT_THAT(table.integers("changed"), ElementsAre(0, 0, 1));
  EXPECT_THAT(table.texts("runner_up_policy"), ElementsAre("fixed:1", "fixed:1", "fixed:1"));
}

TEST(Comparisons, PairedRatiosCancelWhatReplicationsShare) {
  const Experiment experiment = small_experiment();
  const MetricSamples samples(experiment, run_all(experiment));
  const auto metric = static_cast<std::size_t>(samples.index_of("throughput"));
  // Points 3 and 0: k 1 and k 0 at one user; the common factor of a replication drops out of the ratio.
  const PairedComparison c = compare(samples, metric, 3, 0);
  EXPECT_NEAR(c.ratio.mean, 2 / 1.01, 1e-12);
  EXPECT_NEAR(c.ratio.high - c.ratio.low, 0, 1e-12);
  EXPECT_EQ(c.ratio.n, 3);
}

TEST(Comparisons, EachPairOfPoliciesAppearsOnce) {
  const Experiment experiment = small_experiment();
  const Table table = paired_table(experiment, MetricSamples(experiment, run_all(experiment)));
  EXPECT_EQ(table.rows(), 3u /*pairs*/ * 3 /*loads*/ * 2 /*metrics*/);
  for (std::size_t row = 0; row < table.rows(); ++row) {
    EXPECT_GT(table.integers("point")[row], table.integers("baseline")[row]);
  }
}

TEST(ResultTables, ColumnsOfATableHaveOneLength) {
  const Experiment experiment = small_experiment();
  const ResultFile file = build_result(experiment, run_all(experiment));
  for (const Table& table : file.tables) {
    for (const Column& column : table.columns)
      EXPECT_EQ(column.size(), table.rows()) << table.name << "/" << column.name;
  }
  EXPECT_EQ(file.table("points").rows(), 9u);
  EXPECT_EQ(file.table("digests").rows(), 27u);
  EXPECT_EQ(file.table("fits").rows(), 1u);
  EXPECT_EQ(file.table("series").rows(), 54u);
  EXPECT_EQ(file.text("load_axis"), "workload.arrivals.closed_loop.users");
}

TEST(ResultTables, OnlyChosenMetricsAreKept) {
  Experiment experiment = small_experiment();
  experiment.metrics = {"survival"};
  const ResultFile file = build_result(experiment, run_all(experiment));
  EXPECT_EQ(file.table("metric_catalogue").texts("metric"),
            (Texts{"survival.1", "survival.2", "survival.3", "survival.4", "survival.5", "survival.6",
                   "survival.7"}));
}

}  // namespace
}  // namespace dspark
