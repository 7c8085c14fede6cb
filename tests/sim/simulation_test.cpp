#include "sim/simulation.h"

#include <gmock/gmock.h>

#include <cmath>

#include "sim/metrics/run_metrics.h"
#include "tests/sim/small_system.h"

namespace dspark {
namespace {

using testing::SmallSystem;
using testing::written;
using testing::written_map;

ReplicationResult measure(SmallSystem& system, std::int64_t requests, std::int64_t warmup) {
  system.build();
  RunMetrics metrics({requests, warmup}, {}, system.options.kv_blocks, system.acceptance->block_size());
  system.simulation->watch(metrics);
  system.simulation->run([&] { return metrics.done(); }, nullptr);
  ReplicationResult result = metrics.result();
  result.digest = system.simulation->digest().value();
  return result;
}

double metric(const ReplicationResult& result, const std::string& name) {
  for (const MetricValue& value : result.metrics) {
    if (value.name == name) return value.value;
  }
  ADD_FAILURE() << "no metric " << name;
  return std::nan("");
}

TEST(Simulation, TheSameKeyTakesTheSamePathAndAnotherKeyAnother) {
  SmallSystem a, b, c;
  c.key = make_random_key(99, 0);
  const auto first = measure(a, 100, 20).digest;
  EXPECT_EQ(first, measure(b, 100, 20).digest);
  EXPECT_NE(first, measure(c, 100, 20).digest);
}

TEST(Simulation, PoliciesSeeTheSameRequests) {
  struct Specs final : Watcher {
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::array<std::int32_t, 2>> seen;
    void arrived(const RequestSpec& s) override {
      seen[{s.source, s.ordinal}] = {s.prompt_tokens, s.output_tokens()};
    }
  };
  Specs specs[2];
  for (int i = 0; i < 2; ++i) {
    SmallSystem system;
    system.policy_name = i == 0 ? "none" : "dspark";
    system.policy_value = "";
    system.build();
    system.simulation->watch(specs[i]);
    int events = 0;
    system.simulation->run([&] { return ++events > 3000; }, nullptr);
  }
  int compared = 0;
  for (const auto& [identity, lengths] : specs[0].seen) {
    const auto other = specs[1].seen.find(identity);
    if (other == specs[1].seen.end()) continue;
    EXPECT_EQ(other->second, lengths);
    ++compared;
  }
  EXPECT_GT(compared, 30);
}

/// By the metrics that users read, replies that end included (tests/sim/theory has the laws by themselves). A
/// closed loop without speculation whose steps all cost T delivers N/T tokens per second.
TEST(Simulation, ClosedLoopThroughputIsUsersTimesAcceptedLengthOverStepTime) {
  SmallSystem system;
  system.policy_name = "none";
  system.policy_value = "";
  system.options.prefill = Prefill::kElsewhere;
  system.elsewhere = {};
  system.options.max_num_seqs = 16;
  system.options.kv_blocks = 4096;
  system.workload = written_map({{"prompt_tokens", written_map({{"fixed", written("4")}})},
                                 {"output_tokens", written_map({{"fixed", written("50")}})}});
  const auto result = measure(system, 600, 60);
  const double step = 4e-3 + 12 * 1e-4;
  // Each reply's first token comes for nothing from elsewhere: 50 tokens in 49 steps.
  EXPECT_NEAR(metric(result, "throughput"), 12 / step * 50 / 49, 0.005 * 12 / step);
  EXPECT_NEAR(metric(result, "user_speed_mean"), 1 / step, 1e-6 / step);
  EXPECT_DOUBLE_EQ(metric(result, "accepted_length"), 1);
  EXPECT_NEAR(metric(result, "busy_share"), 1, 1e-9);
}

/// Acceptance a at every position, independent: τ = (1 - a^(k+1)) / (1 - a). Tolerance: four standard errors
/// of the mean over the rounds counted, a round's variance being at most k²/4.
TEST(Simulation, FixedDepthMeetsGeometricAcceptedLength) {
  for (const double a : {0.5, 0.8, 0.9}) {
    SmallSystem system;
    const double effect = std::log(a / (1 - a));
    system.domains = {{{effect, effect, effect, effect}, 0}};
    system.policy_value = "4";
    system.options.kv_blocks = 4096;
    const auto result = measure(system, 4000, 100);
    const double tau = (1 - std::pow(a, 5)) / (1 - a);
    const double rounds = metric(result, "throughput") * metric(result, "window_seconds") / tau;
    EXPECT_NEAR(metric(result, "accepted_length"), tau, 4 * 2 / std::sqrt(rounds)) << "a = " << a;
    EXPECT_NEAR(metric(result, "acceptance.1"), a, 4 * 0.5 / std::sqrt(rounds));
    EXPECT_NEAR(metric(result, "survival.2"), a * a, 4 * 0.5 / std::sqrt(rounds));
  }
}

TEST(Simulation, PromptsInTheSameStepsCostStepsThatElsewhereDoNot) {
  SmallSystem in_step, elsewhere;
  elsewhere.options.prefill = Prefill::kElsewhere;
  in_step.options.kv_blocks = elsewhere.options.kv_blocks = 4096;
  const auto a = measure(in_step, 400, 50), b = measure(elsewhere, 400, 50);
  EXPECT_GT(metric(a, "prefill_tokens"), 0);
  EXPECT_EQ(metric(b, "prefill_tokens"), 0);
  EXPECT_GT(metric(a, "step_seconds_mean"), metric(b, "step_seconds_mean"));
  EXPECT_GE(metric(b, "ttft_p50"), 0.01 * (1 - 2 * QuantileSketch::kRelativeError));
}

}  // namespace
}  // namespace dspark
