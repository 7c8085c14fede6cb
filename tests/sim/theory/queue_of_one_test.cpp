// One request at a time is a queue with one server: M/D/1, M/M/1 and M/G/1. The mean wait is that of
// Pollaczek and Khinchine, W = λ·E[S²] / (2·(1 - ρ)) with ρ = λ·E[S].
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

constexpr double kStep = 4.1e-3;  // seconds of a step of one row

/// Reply lengths in tokens, each as likely as the others: a request's service is that many steps.
using Service = std::vector<int>;

/// Deterministic: M/D/1.
Service deterministic() { return {4}; }
/// Eight replies in nine are short, the ninth is as long as four of the mean: coefficient of variation 1.06.
Service two_points() { return {1, 1, 1, 1, 1, 1, 1, 1, 28}; }
/// Quantiles of an exponential distribution in whole steps.
Service exponential() {
  constexpr int kQuantiles = 1000;
  constexpr double kMean = 20;
  Service lengths;
  for (int i = 0; i < kQuantiles; ++i)
    lengths.push_back(std::max(1, static_cast<int>(std::ceil(-kMean * std::log((i + 0.5) / kQuantiles)))));
  return lengths;
}

double moment(const Service& service, int power) {
  double sum = 0;
  for (const int steps : service) sum += std::pow(steps * kStep, power);
  return sum / static_cast<double>(service.size());
}
double pollaczek_khinchine(const Service& service, double load) {
  const double rate = load / moment(service, 1);
  return rate * moment(service, 2) / (2 * (1 - load));
}

struct Mutation {
  int served_at_once = 1;
  std::string arrivals = "poisson";
};

/// Mean wait of each replication. Waits of one queue are correlated, so replications are the samples.
std::vector<double> waits(const Service& service, double load, const Mutation& mutation = {}) {
  constexpr std::uint32_t kReplications = 16;
  std::string lengths = "tokens\n";
  for (const int steps : service) lengths += std::to_string(steps) + "\n";
  const Value rate = written(std::to_string(load / moment(service, 1)));
  std::vector<double> means;
  for (std::uint32_t replication = 0; replication < kReplications; ++replication) {
    SmallSystem system;
    system.key = make_random_key(5, replication);
    system.files = [&](const std::string& path, const Position& position) {
      return Result<InputFile>(InputFile{path, lengths, position});
    };
    system.policy_name = "none";
    system.policy_value = "";
    system.options.max_num_seqs = mutation.served_at_once;
    system.options.kv_blocks = 4096;
    system.arrivals_name = mutation.arrivals;
    system.arrivals = mutation.arrivals == "gamma" ? written_map({{"rate", rate}, {"cv", written("0.5")}})
                                                   : written_map({{"rate", rate}});
    system.workload = written_map(
        {{"prompt_tokens", written_map({{"fixed", written("1")}})},
         {"output_tokens", written_map({{"empirical", written_map({{"file", written("lengths.csv")},
                                                                   {"column", written("tokens")}})}})}});
    system.build();
    constexpr std::int64_t kRequests = 3000, kWarmup = 200;
    RunMetrics metrics({kRequests, kWarmup}, {}, system.options.kv_blocks, system.acceptance->block_size());
    system.simulation->watch(metrics);
    system.simulation->run([&] { return metrics.done(); }, nullptr);
    for (const MetricValue& metric : metrics.result().metrics) {
      // The first step takes the prompt and gives the first token.
      if (metric.name == "ttft_mean") means.push_back(metric.value - kStep);
    }
  }
  return means;
}

double off(const Service& service, double load, const Mutation& mutation = {}) {
  return deviation(estimate(waits(service, load, mutation)), pollaczek_khinchine(service, load));
}

TEST(QueueOfOne, MeetsPollaczekAndKhinchineForThreeServices) {
  for (const auto& service : {deterministic(), two_points(), exponential()}) {
    for (const double load : {0.3, 0.7}) {
      EXPECT_LE(off(service, load), kStandardErrors) << "mean " << moment(service, 1) << " load " << load;
    }
  }
}

/// What the formula becomes in the two cases with names: an exponential service in whole steps is within 3 %.
TEST(QueueOfOne, IsMD1AndMM1InTheFormulasLimits) {
  for (const double load : {0.3, 0.7}) {
    const double fixed = moment(deterministic(), 1), mean = moment(exponential(), 1);
    EXPECT_NEAR(pollaczek_khinchine(deterministic(), load), load * fixed / (2 * (1 - load)), 1e-12);
    EXPECT_NEAR(pollaczek_khinchine(exponential(), load), load * mean / (1 - load),
                0.03 * load * mean / (1 - load));
  }
}

TEST(QueueOfOne, AnotherVarianceASecondServerAndArrivalsTooRegularAreSeen) {
  constexpr double kLoad = 0.7;
  const double mean = moment(two_points(), 1);
  // Equal replies of the same mean, whose wait is half as long.
  EXPECT_GT(deviation(estimate(waits(two_points(), kLoad)), kLoad * mean / (2 * (1 - kLoad))),
            kStandardErrors);
  for (const auto& service : {deterministic(), two_points(), exponential()}) {
    EXPECT_GT(off(service, kLoad, {.served_at_once = 2}), kStandardErrors);
    EXPECT_GT(off(service, kLoad, {.arrivals = "gamma"}), kStandardErrors);
  }
}

}  // namespace
}  // namespace dspark
