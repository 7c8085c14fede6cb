// The latency of open arrivals where a step's cost is linear in its batch, T = α + β·rows:
//
//     L = C1 / (1 - rate·C2),   C1 = R·(α + β·(1 + k)),   C2 = R·β·(1 + k)
//
// with R the mean number of rounds of a reply (arXiv 2605.15051; Little's law on a cost linear in the batch).
// C1 is what a request takes alone, its own rows included: requests share the machine as in a
// processor-sharing queue whose speed for each of n is 1 / (α + β·n·(1 + k)), and n is then negative binomial
// whatever the lengths' law (Cohen 1979). In that limit steps are short; here an arrival also waits for the
// end of the running step.
#include <gtest/gtest.h>

#include <cmath>

#include "sim/metrics/run_metrics.h"
#include "tests/sim/small_system.h"
#include "tests/sim/theory/planted.h"
#include "tests/sim/theory/standard_error.h"

namespace dspark {
namespace {

using testing::AnchorsForNothing;
using testing::around;
using testing::deviation;
using testing::estimate;
using testing::kStandardErrors;
using testing::SmallSystem;
using testing::written;
using testing::written_map;

constexpr double kAcceptance = 0.8;
constexpr int kTokens = 100;  // of a reply after its first one, which comes from elsewhere at no time
constexpr double kAlpha = 8e-3, kBeta = 1e-3;

/// Mean rounds until kTokens are out at depth k: f(n) = 1 + Σ_j P(a round gives j) f(n - j).
double mean_rounds(int k) {
  std::vector<double> rounds(kTokens + 1, 0);
  for (int n = 1; n <= kTokens; ++n) {
    double sum = 1;
    for (int j = 1; j <= k + 1; ++j) {
      const double p = j <= k ? std::pow(kAcceptance, j - 1) * (1 - kAcceptance) : std::pow(kAcceptance, k);
      if (j < n) sum += p * rounds[static_cast<std::size_t>(n - j)];
    }
    rounds[static_cast<std::size_t>(n)] = sum;
  }
  return rounds[kTokens];
}

struct Law {
  int k = 0;
  double c1() const { return mean_rounds(k) * (kAlpha + kBeta * (1 + k)); }
  double c2() const { return mean_rounds(k) * kBeta * (1 + k); }
  /// Half of a step as an arrival meets it, longer steps being met more often. Per step the batch has the
  /// mean m = R·λ·α/(1 - x) and the variance m/(1 - x), x = rate·C2.
  double wait_for_a_step(double rate) const {
    const double x = rate * c2();
    const double batch = rate * mean_rounds(k) * kAlpha / (1 - x);
    const double per_request = kBeta * (1 + k);
    const double step = kAlpha + per_request * batch;
    return (step + per_request * per_request * batch / (1 - x) / step) / 2;
  }
  double latency(double rate) const { return c1() / (1 - rate * c2()) + wait_for_a_step(rate); }
};

struct Mutation {
  bool free_anchors = false;
  int most_at_once = 400;
  double own_row = 1;  // share of C1's rows that the closed form counts
};

/// Standard errors between the engine's mean latency and the law, over replications.
double off(int k, double rate, const Mutation& mutation = {}, double* latency = nullptr) {
  std::vector<double> latencies;
  for (std::uint32_t replication = 0; replication < 16; ++replication) {
    SmallSystem system;
    system.key = make_random_key(17, replication);
    system.options = {.max_num_seqs = mutation.most_at_once,
                      .max_num_batched_tokens = 8192,
                      .kv_blocks = 1 << 20,
                      .block_tokens = 16,
                      .prefill = Prefill::kElsewhere};
    system.elsewhere = {};
    system.cost_parts = {.verify_affine = {.bias_seconds = kAlpha, .seconds_per_token = kBeta}};
    const double effect = std::log(kAcceptance / (1 - kAcceptance));
    system.domains = {{std::vector<double>(8, effect), 0}};
    system.policy_value = std::to_string(k);
    if (mutation.free_anchors) system.runner_around = around<AnchorsForNothing>(kBeta);
    system.arrivals_name = "poisson";
    system.arrivals = written_map({{"rate", written(std::to_string(rate))}});
    // A hidden end: the last block is not capped, only cut.
    system.workload = written_map(
        {{"prompt_tokens", written_map({{"fixed", written("1")}})},
         {"output_tokens",
          written_map({{"lognormal", written_map({{"median", written(std::to_string(kTokens + 1))},
                                                  {"sigma", written("0")}})}})}});
    system.build();
    RunMetrics metrics({1500, 150}, {}, system.options.kv_blocks, system.acceptance->block_size());
    system.simulation->watch(metrics);
    system.simulation->run([&] { return metrics.done(); }, nullptr);
    for (const MetricValue& metric : metrics.result().metrics) {
      if (metric.name == "end_to_end_mean") latencies.push_back(metric.value);
    }
  }
  const auto measured = estimate(latencies);
  if (latency != nullptr) *latency = measured.mean;
  const Law law{k};
  const double own_rows = (1 - mutation.own_row) * law.c2() / (1 - rate * law.c2());
  return deviation(measured, law.latency(rate) - own_rows);
}

/// Arrivals a second that fill the share x of the machine's rows without speculation.
double rate_at(double x) { return x / Law{0}.c2(); }

TEST(LatencyUnderLoad, IsC1OverOneMinusRateTimesC2) {
  for (const int k : {0, 1, 3}) {
    for (const double x : {0.2, 0.5})
      EXPECT_LE(off(k, rate_at(x)), kStandardErrors) << "k " << k << " x " << x;
  }
}

/// Acceptance is the same at every rate, and what speculation gains falls all the same.
TEST(LatencyUnderLoad, TheGainOfSpeculationFallsWithTheRateAndTurns) {
  const auto gain = [](double x) {
    double none = 0, three = 0;
    EXPECT_LE(off(0, rate_at(x), {}, &none), kStandardErrors);
    EXPECT_LE(off(3, rate_at(x), {}, &three), kStandardErrors);
    return none / three;
  };
  const double low = gain(0.1), middle = gain(0.4), high = gain(0.65);
  EXPECT_GT(low, 1.8);
  EXPECT_LT(middle, low);
  EXPECT_LT(high, 1);
}

TEST(LatencyUnderLoad, FreeAnchorsABatchLimitAndAC1WithoutItsOwnRowAreSeen) {
  for (const int k : {0, 3}) {
    SCOPED_TRACE(k);
    EXPECT_GT(off(k, rate_at(0.5), {.free_anchors = true}), kStandardErrors);
    EXPECT_GT(off(k, rate_at(0.5), {.most_at_once = 1}), kStandardErrors);
    EXPECT_GT(off(k, rate_at(0.5), {.own_row = 0}), kStandardErrors);
  }
}

}  // namespace
}  // namespace dspark
