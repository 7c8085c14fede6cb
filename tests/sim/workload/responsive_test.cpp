// Demand feedback inside a run: the rate of arrivals answers to the latency that the run itself gives.
#include <gtest/gtest.h>

#include <cmath>

#include "sim/metrics/run_metrics.h"
#include "tests/sim/small_system.h"
#include "tests/sim/theory/standard_error.h"

namespace dspark {
namespace {

using testing::deviation;
using testing::estimate;
using testing::kStandardErrors;
using testing::SmallSystem;
using testing::written;
using testing::written_map;

constexpr double kStep = 4.1e-3;        // seconds of a step of one row
constexpr double kService = 4 * kStep;  // seconds of a request, served alone
constexpr double kUsualRate = 0.9 / kService;

struct Outcome {
  std::vector<double> rates;      // finished requests per second, one for each replication
  std::vector<double> latencies;  // mean seconds from arrival to last token
};

/// One request at a time, each of the same length. `arrivals` as a file would have them.
Outcome serve(const std::string& arrivals, const Value& parameters, double step = kStep) {
  Outcome outcome;
  for (std::uint32_t replication = 0; replication < 16; ++replication) {
    SmallSystem system;
    system.key = make_random_key(7, replication);
    system.policy_name = "none";
    system.policy_value = "";
    system.options.max_num_seqs = 1;
    system.options.kv_blocks = 4096;
    system.cost_parts.verify_affine = {.bias_seconds = step - 1e-4, .seconds_per_token = 1e-4};
    system.arrivals_name = arrivals;
    system.arrivals = parameters;
    system.workload = written_map({{"prompt_tokens", written_map({{"fixed", written("1")}})},
                                   {"output_tokens", written_map({{"fixed", written("4")}})}});
    system.build();
    RunMetrics metrics({8000, 2000}, {}, system.options.kv_blocks, system.acceptance->block_size());
    system.simulation->watch(metrics);
    system.simulation->run([&] { return metrics.done(); }, nullptr);
    for (const MetricValue& metric : metrics.result().metrics) {
      if (metric.name == "request_rate") outcome.rates.push_back(metric.value);
      if (metric.name == "end_to_end_mean") outcome.latencies.push_back(metric.value);
    }
  }
  EXPECT_EQ(outcome.rates.size(), 16u);
  EXPECT_EQ(outcome.latencies.size(), 16u);
  return outcome;
}

std::string text(double value) { return number_text(value); }

Outcome open_loop(double rate, double step = kStep) {
  return serve("poisson", written_map({{"rate", written(text(rate))}}), step);
}

Outcome responsive(double usual_latency, double elasticity, double step = kStep) {
  const Value response = written_map(
      {{"constant_latency_elasticity", written_map({{"elasticity", written(text(elasticity))}})}});
  return serve("responsive",
               written_map({{"rate", written(text(kUsualRate))},
                            {"usual_latency", written(text(usual_latency))},
                            {"memory_seconds", written("20")},
                            {"response", response}}),
               step);
}

/// Of M/D/1: service and the mean wait of Pollaczek and Khinchine.
double latency_of(double rate, double service) {
  const double load = rate * service;
  return service + load * service / (2 * (1 - load));
}

TEST(ResponsiveArrivals, MeetWhereDemandAndTheQueueAgree) {
  for (const double elasticity : {0.3, 1.0, 2.0}) {
    double low = 0, high = 0.9999 / kService;  // demand falls with the latency, which rises with the rate
    for (int i = 0; i < 100; ++i) {
      const double rate = (low + high) / 2;
      const double asked = kUsualRate * std::pow(latency_of(rate, kService) / kService, -elasticity);
      (asked > rate ? low : high) = rate;
    }
    // What is remembered still varies a little, which a response that is not linear does not average out.
    const Outcome met = responsive(kService, elasticity);
    EXPECT_NEAR(estimate(met.rates).mean, low, 0.02 * low) << elasticity;
    EXPECT_NEAR(estimate(met.latencies).mean, latency_of(low, kService), 0.05 * latency_of(low, kService))
        << elasticity;
    EXPECT_LT(low, 0.85 * kUsualRate);
  }
}

TEST(ResponsiveArrivals, AFasterMachineIsAnsweredWithMoreRequestsAndKeepsLessOfItsSpeed) {
  constexpr double kFaster = 0.7 * kStep;
  const double usual = estimate(open_loop(kUsualRate).latencies).mean;
  const Outcome open = open_loop(kUsualRate, kFaster);
  const Outcome closed = responsive(usual, 0.5, kFaster);
  // Nobody answers in the open loop: the same requests, all of the speed.
  EXPECT_LE(deviation(estimate(open.rates), kUsualRate), kStandardErrors);
  EXPECT_GT(estimate(closed.rates).mean, 1.05 * estimate(open.rates).mean);
  EXPECT_GT(estimate(closed.latencies).mean, 1.2 * estimate(open.latencies).mean);
  EXPECT_LT(estimate(closed.latencies).mean, usual);
}

TEST(ResponsiveArrivals, WithoutAResponseAreThePoissonArrivals) {
  const Outcome open = open_loop(kUsualRate), closed = responsive(1, 0);
  EXPECT_EQ(open.rates, closed.rates);
  EXPECT_EQ(open.latencies, closed.latencies);
}

}  // namespace
}  // namespace dspark
