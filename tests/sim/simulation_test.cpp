#include "sim/simulation.h"

#include <gmock/gmock.h>

#include <cmath>

#include "sim/metrics/run_metrics.h"
#include "tests/sim/small_system.h"
#include "tests/sim/theory/geometric.h"
#include "tests/sim/theory/planted.h"

namespace dspark {
namespace {

using testing::around;
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

/// A closed loop without speculation whose steps all cost T, which delivers N/T tokens per second. By the
/// metrics that users read, replies that end included (tests/sim/theory has the laws by themselves).
constexpr int kUsers = 12;
SmallSystem fixed_replies(int users = kUsers) {
  SmallSystem system;
  system.policy_name = "none";
  system.policy_value = "";
  system.options.prefill = Prefill::kElsewhere;
  system.elsewhere = {};
  system.options.max_num_seqs = 16;
  system.options.kv_blocks = 4096;
  system.arrivals = written_map({{"users", written(std::to_string(users))}});
  system.workload = written_map({{"prompt_tokens", written_map({{"fixed", written("4")}})},
                                 {"output_tokens", written_map({{"fixed", written("50")}})}});
  return system;
}
double row_seconds(const SmallSystem& system) { return system.cost_parts.verify_affine.seconds_per_token; }
double step_seconds(const SmallSystem& system) {
  return system.cost_parts.verify_affine.bias_seconds + kUsers * row_seconds(system);
}
/// Relative. Each reply's first token comes for nothing from elsewhere: 50 tokens in 49 steps.
double off_the_throughput(SmallSystem system) {
  const double expected = kUsers / step_seconds(system) * 50 / 49;
  return std::abs(metric(measure(system, 600, 60), "throughput") / expected - 1);
}
constexpr double kThroughputError = 0.005;  // the window's ends cut replies

TEST(Simulation, ClosedLoopThroughputIsUsersTimesAcceptedLengthOverStepTime) {
  EXPECT_LE(off_the_throughput(fixed_replies()), kThroughputError);
  SmallSystem system = fixed_replies();
  const double step = step_seconds(system);
  const auto result = measure(system, 600, 60);
  EXPECT_NEAR(metric(result, "user_speed_mean"), 1 / step, 1e-6 / step);
  EXPECT_DOUBLE_EQ(metric(result, "accepted_length"), 1);
  EXPECT_NEAR(metric(result, "busy_share"), 1, 1e-9);
}

TEST(Simulation, FreeAnchorsALostUserAndPromptsThatTakeTimeAreSeenByTheThroughput) {
  SmallSystem free_anchors = fixed_replies();
  free_anchors.runner_around = around<testing::AnchorsForNothing>(row_seconds(free_anchors));
  EXPECT_GT(off_the_throughput(std::move(free_anchors)), kThroughputError);
  EXPECT_GT(off_the_throughput(fixed_replies(kUsers - 1)), kThroughputError);
  SmallSystem slow_prompts = fixed_replies();
  slow_prompts.elsewhere = {.fixed_seconds = 0.01};
  EXPECT_GT(off_the_throughput(std::move(slow_prompts)), kThroughputError);
}

/// Acceptance a at every position, independent: τ = (1 - a^(k+1)) / (1 - a). Tolerance: four standard errors
/// of the mean over the rounds counted, a round's variance being at most k²/4.
constexpr int kDepth = 4;
SmallSystem geometric(double a) {
  SmallSystem system;
  const double effect = std::log(a / (1 - a));
  system.domains = {{{effect, effect, effect, effect}, 0}};
  system.policy_value = std::to_string(kDepth);
  system.options.kv_blocks = 4096;
  return system;
}
struct OffGeometric {
  double length, first, second;  // in four standard errors
};
OffGeometric off_geometric(double a, SmallSystem system) {
  const auto result = measure(system, 4000, 100);
  const double tau = testing::accepted_length(a, kDepth);
  const double rounds = metric(result, "throughput") * metric(result, "window_seconds") / tau;
  const auto off = [&](const char* name, double expected, double deviation) {
    return std::abs(metric(result, name) - expected) / (4 * deviation / std::sqrt(rounds));
  };
  return {off("accepted_length", tau, kDepth / 2.0), off("acceptance.1", a, 0.5),
          off("survival.2", a * a, 0.5)};
}

TEST(Simulation, FixedDepthMeetsGeometricAcceptedLength) {
  for (const double a : {0.5, 0.8, 0.9}) {
    const OffGeometric off = off_geometric(a, geometric(a));
    EXPECT_LE(off.length, 1) << "a = " << a;
    EXPECT_LE(off.first, 1) << "a = " << a;
    EXPECT_LE(off.second, 1) << "a = " << a;
  }
}

TEST(Simulation, ALostBonusTokenADepthOffByOneAndAnotherAcceptanceAreSeenByTheMetrics) {
  for (const double a : {0.5, 0.8, 0.9}) {
    SCOPED_TRACE(a);
    SmallSystem lost_bonus = geometric(a);
    lost_bonus.runner_around = around<testing::ResidualAfterAWholeBlock>();
    EXPECT_GT(off_geometric(a, std::move(lost_bonus)).length, 1);
    SmallSystem shallow = geometric(a);
    shallow.policy_value = std::to_string(kDepth - 1);
    EXPECT_GT(off_geometric(a, std::move(shallow)).length, 1);
    const OffGeometric worse = off_geometric(a, geometric(a - 0.05));
    EXPECT_GT(worse.length, 1);
    EXPECT_GT(worse.first, 1);
    EXPECT_GT(worse.second, 1);
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
