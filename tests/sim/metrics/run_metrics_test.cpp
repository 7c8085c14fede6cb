#include "sim/metrics/run_metrics.h"

#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <set>

namespace dspark {
namespace {

/// Two requests decode together for two steps of one second; worked by hand.
struct TwoSteps {
  std::vector<int> block{3, 3}, drafted{3, 3}, verified{3, 2}, accepted{3, 1};
  std::vector<std::int32_t> delivered{4, 2};
  std::vector<std::uint8_t> cut{0, 0};
  std::vector<VirtualTime> previous{0, 0};
  std::vector<float> confidence{0.9f, 0.6f, 0.8f, 0.3f, 0.7f, 0.2f};  // (3, 2)

  StepRecord step(int index) {
    StepRecord record{.begin = index * 1'000'000'000LL,
                      .end = (index + 1) * 1'000'000'000LL,
                      .seconds = 1,
                      .prefill_rows = 0,
                      .waiting_requests = 1,
                      .running_requests = 2,
                      .kv_blocks_used = 5};
    record.block_size = block;
    record.drafted = drafted;
    record.verified = verified;
    record.draft_rows = verified[0] + verified[1];
    record.accepted = accepted;
    record.delivered = delivered;
    record.cut = cut;
    record.previous_delivery = previous;
    record.drafts = {.stride = 2, .drafted = drafted, .confidence = confidence};
    return record;
  }
};

std::map<std::string, double> by_name(const ReplicationResult& result) {
  std::map<std::string, double> values;
  for (const MetricValue& value : result.metrics) values[value.name] = value.value;
  return values;
}

ReplicationResult worked_example() {
  TwoSteps steps;
  RunMetrics metrics({.requests = 2, .warmup_requests = 0}, {true, 0.5, 0.2}, 10, 3, /*measured_rows=*/7);
  const RequestSpec a{.source = 1}, b{.source = 2};
  metrics.arrived(a);
  metrics.arrived(b);
  metrics.step_ended(steps.step(0));
  steps.previous = {1'000'000'000, 1'000'000'000};
  steps.cut = {0, 1};
  StepRecord second = steps.step(1);
  ++second.draft_rows;  // computed, though outside the policy's window
  metrics.step_ended(second);
  metrics.finished({.spec = a, .first_token = 0, .last_token = 2'000'000'000, .output_tokens = 21});
  metrics.finished(
      {.spec = b, .first_token = 1'000'000'000, .last_token = 2'000'000'000, .output_tokens = 3});
  EXPECT_TRUE(metrics.done());
  return metrics.result();
}

TEST(RunMetrics, AreThoseOfAWorkedExample) {
  auto m = by_name(worked_example());
  EXPECT_DOUBLE_EQ(m["throughput"], 12 / 2.0);
  EXPECT_DOUBLE_EQ(m["request_rate"], 1);
  EXPECT_DOUBLE_EQ(m["user_speed_mean"], (20 / 2.0 + 2 / 1.0) / 2);
  EXPECT_DOUBLE_EQ(m["ttft_mean"], 0.5);
  EXPECT_DOUBLE_EQ(m["tpot_mean"], (0.1 + 0.5) / 2);
  EXPECT_NEAR(m["itl_p50"], 1, 0.004);
  EXPECT_DOUBLE_EQ(m["goodput"], 0.5) << "the second reply came late and slowly";
  EXPECT_DOUBLE_EQ(m["slo_attainment"], 0.5);
  EXPECT_DOUBLE_EQ(m["accepted_length"], (4 + 2 + 4) / 3.0) << "the cut round does not count";
  EXPECT_DOUBLE_EQ(m["verification_length"], 2.5);
  EXPECT_DOUBLE_EQ(m["draft_length"], 3);
  EXPECT_DOUBLE_EQ(m["acceptance_rate"], 8 / 10.0);
  EXPECT_DOUBLE_EQ(m["wasted_share"], 2 / 10.0);
  EXPECT_DOUBLE_EQ(m["wasted_per_output_token"], 2 / 12.0);
  EXPECT_DOUBLE_EQ(m["batch_tokens"], 7.5);
  EXPECT_DOUBLE_EQ(m["extrapolated_steps"], 0.5) << "the second step has 8 rows, 7 were measured";
  EXPECT_DOUBLE_EQ(m["busy_share"], 1);
  EXPECT_DOUBLE_EQ(m["running_requests"], 2);
  EXPECT_DOUBLE_EQ(m["waiting_requests"], 1);
  EXPECT_DOUBLE_EQ(m["kv_share"], 0.5);
  EXPECT_DOUBLE_EQ(m["requests_in_system"], 2);
  EXPECT_DOUBLE_EQ(m["survival.1"], 1);
  EXPECT_DOUBLE_EQ(m["survival.2"], 2 / 3.0);
  EXPECT_DOUBLE_EQ(m["acceptance.3"], 1) << "only the first request reached position 3";
  // Position 1: two labels at 0.9 and one at 0.6; position 2: 0.8, 0.8 and 0.3 (rejected); position 3: 0.7,
  // 0.7.
  EXPECT_NEAR(m["confidence_ece"], (2 * 0.1 + 0.4 + 2 * 0.2 + 0.3 + 2 * 0.3) / 8, 1e-6);
}

TEST(RunMetrics, EveryValueIsInTheCatalogueAndFinite) {
  std::set<std::string> known;
  for (const MetricInfo& info : metric_catalogue()) known.insert(info.name);
  EXPECT_EQ(known.size(), metric_catalogue().size()) << "a name twice";
  for (const MetricValue& value : worked_example().metrics) {
    EXPECT_TRUE(known.count(value.name.substr(0, value.name.find('.')))) << value.name;
    EXPECT_TRUE(std::isfinite(value.value)) << value.name;
  }
}

TEST(RunMetrics, NothingOfTheWarmUpIsMeasured) {
  TwoSteps steps;
  RunMetrics metrics({.requests = 1, .warmup_requests = 1}, {}, 10, 3);
  const RequestSpec a{.source = 1}, b{.source = 2};
  metrics.arrived(a);
  metrics.arrived(b);
  steps.accepted = {0, 0};  // a poor warm-up
  steps.delivered = {1, 1};
  metrics.step_ended(steps.step(0));
  metrics.finished({.spec = a, .first_token = 0, .last_token = 1'000'000'000, .output_tokens = 2});
  steps = TwoSteps();
  metrics.step_ended(steps.step(1));
  metrics.finished({.spec = b, .first_token = 0, .last_token = 2'000'000'000, .output_tokens = 7});
  const auto result = metrics.result();
  auto m = by_name(result);
  EXPECT_DOUBLE_EQ(m["throughput"], 6);
  EXPECT_DOUBLE_EQ(m["accepted_length"], 3);
  EXPECT_DOUBLE_EQ(m["requests_in_system"], 1);
  EXPECT_DOUBLE_EQ(m["measured_requests"], 1);
  EXPECT_EQ(result.series.size(), 33u) << "the series shows the warm-up too, in windows of 1/16 s";
}

TEST(TimeSeries, MergesNeighboursInsteadOfGrowing) {
  TimeSeries series;
  TwoSteps steps;
  double tokens = 0;
  for (int i = 0; i < 1000; ++i) {
    series.add(steps.step(i));
    tokens += 6;
  }
  const auto windows = series.windows(steps.step(999).end);
  EXPECT_LE(windows.size(), 128u);
  double sum = 0;
  for (const SeriesWindow& window : windows) sum += window.throughput * window.width_seconds;
  EXPECT_NEAR(sum, tokens, 1e-6);
  EXPECT_DOUBLE_EQ(windows[10].verification_length, 2.5);
}

}  // namespace
}  // namespace dspark
