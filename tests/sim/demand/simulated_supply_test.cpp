#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>

#include "sim/demand/rebound.h"
#include "tests/sim/demand/flow_market.h"
#include "tests/sim/demand/sampled_surface.h"

namespace dspark {
namespace {

using testing::error_of_market;
using testing::GivenSurfaces;
using ::testing::HasSubstr;
using testing::market_of;
using testing::ReplicaFormula;
using testing::sampled_surface;
using testing::saturating;
using testing::spread_loads;

constexpr double kA = 200, kB = 60, kSpeed = 80;

/// Surfaces that are g apart at any user speed.
GivenSurfaces apart(double gain, double error = 0, int loads = 60) {
  return {sampled_surface(saturating(kA, kB), spread_loads(1, 512, loads), error),
          sampled_surface(saturating(kA, gain * kB), spread_loads(1, 1024, loads), error)};
}

std::string market_text(const std::string& supply, const std::string& rest, const std::string& volume) {
  return fmt::format(
      "{{supply: {{simulated: {{experiment: e.yaml, before: none, after: dspark, operating_point: "
      "{{user_speed: "
      "80}}, gpus_per_replica: 4, dollars_per_gpu_hour: 3, idle_watts: 300, active_watts: 1000{}}}}}, {} "
      "segments: {{chat: {{requests_per_second: 50, context_tokens: 1200, output_tokens: 300, volume: "
      "{}}}}}}}",
      supply, rest, volume);
}
std::string constant(double elasticity) {
  return fmt::format("{{constant_elasticity: {{elasticity: {}}}}}", elasticity);
}

TEST(SimulatedSupply, GainsAreMeasuredAtTheOperatingPoint) {
  for (const double g : {1.2, 1.51, 2.0}) {
    GivenSurfaces surfaces = apart(g);
    const Market market = market_of(market_text("", "", constant(0.5)), &surfaces);
    EXPECT_NEAR(market.gain.gain, g, 1e-3 * g);
    // The same throughput b (a - u) = g b (a - u').
    EXPECT_NEAR(market.gain.speed_gain, (kA - (kA - kSpeed) / g) / kSpeed, 2e-3);
    EXPECT_NEAR(market.measured->load_before, kB * (kA / kSpeed - 1), 0.1);
    EXPECT_NEAR(market.measured->load_after, g * kB * (kA / kSpeed - 1), 0.2);
    EXPECT_NEAR(market.baseline.point.user_speed, kSpeed, 1e-6);
  }
}

TEST(SimulatedSupply, EquilibriumOverSampledFormulasIsThatOfTheFormula) {
  for (const double g : {1.2, 1.51, 2.0}) {
    for (const double e : {0.0, 0.5, 1.11, 1.5}) {
      GivenSurfaces surfaces = apart(g);
      const ReboundReport report = study_rebound(market_of(market_text("", "", constant(e)), &surfaces));
      ASSERT_TRUE(report.end);
      const double ratio = std::pow(g, e - 1);
      EXPECT_NEAR(report.resources[kGpuHours].ratio, ratio, 1e-3);
      EXPECT_NEAR(*report.resources[kGpuHours].rebound, 1 - (1 - ratio) / (1 - 1 / g), 6e-3) << g << " " << e;
      // 50 requests/s of 600 weighted tokens, 300 of them output, on replicas of b (a - u) output tokens/s.
      EXPECT_NEAR(report.resources[kGpuHours].baseline, 4 * 15000 / (kB * (kA - kSpeed)), 0.01);
      EXPECT_NEAR(report.resources[kKilowattHours].baseline, report.resources[kGpuHours].baseline, 1e-9);
    }
  }
}

TEST(SimulatedSupply, HoldingThroughputReleasesNoChipsAndSpeedsUsersUp) {
  GivenSurfaces surfaces = apart(1.5);
  const Market market = market_of(market_text("", "operator: hold_throughput,", constant(0)), &surfaces);
  const ReboundReport report = study_rebound(market);
  EXPECT_NEAR(report.resources[kGpuHours].ratio, 1, 1e-6);
  EXPECT_NEAR(report.end->state.point.user_speed, kA - (kA - kSpeed) / 1.5, 0.2);
}

TEST(SimulatedSupply, ReOptimisingIsTheCheapestPointOfTheSurface) {
  const double hourly = 40, g = 1.6;
  GivenSurfaces surfaces = apart(g);
  const Market market = market_of(
      market_text(
          "", "operator: re_optimise,",
          fmt::format("{{generalised_cost: {{elasticity: 0.5, dollars_per_waiting_hour: {}}}}}", hourly)),
      &surfaces);
  const SupplyPoint point = market.after->serve(market.baseline.load, market.rule);
  // Money 4 · 3 $/h · 300 / (g b (a - u)), time v · 300 / u: at the least both derivatives are the same.
  double best = 0, least = 1e300;
  for (double u = 20; u < 199; u += 1e-3) {
    const double dollars = 4 * 3 / 3600.0 * 300 / (g * kB * (kA - u)) + hourly / 3600 * 300 / u;
    if (dollars < least) best = u, least = dollars;
  }
  EXPECT_NEAR(point.user_speed, best, 2e-3 * best);
  EXPECT_NEAR(point.gpus, 4 * 15000 / (g * kB * (kA - best)), 2e-3 * point.gpus);
}

TEST(SimulatedSupply, FixedChipsSlowUsersAlongTheSurfaceAndTurnRequestsAwayBeyondIt) {
  const double g = 1.5, e = 0.8, gpus = 4 * 15000 / (kB * (kA - kSpeed));  // those of the operating point
  GivenSurfaces surfaces = apart(g);
  const auto fixed = [&](double elasticity, double chips) {
    return study_rebound(market_of(
        market_text(fmt::format(", chips: {{fixed: {}}}", chips), "", constant(elasticity)), &surfaces));
  };
  const ReboundReport report = fixed(e, gpus);
  ASSERT_TRUE(report.end);
  EXPECT_EQ(report.resources[kGpuHours].ratio, 1);
  EXPECT_NEAR(*report.resources[kGpuHours].rebound, 1, 1e-12);
  const double load = 15000 * std::pow(g, e) / (gpus / 4);
  EXPECT_NEAR(report.end->state.point.user_speed, kA - load / (g * kB), 0.1);
  // The chips that would hold 80 tokens/s are those of elastic supply.
  const double ratio = std::pow(g, e - 1);
  EXPECT_NEAR(*report.resources[kGpuHours].shadow, 1 - (1 - ratio) / (1 - 1 / g), 5e-3);
  // Ten times the elasticity asks for more than replicas give at 1024 users.
  EXPECT_EQ(fixed(10, gpus).equilibria.existence, Existence::kRationed);
}

TEST(SimulatedSupply, CappedChipsAreElasticBelowTheCapAndFixedAtIt) {
  const double g = 1.5, e = 1.2, elastic = 4 * 15000 / (kB * (kA - kSpeed));
  GivenSurfaces surfaces = apart(g);
  const auto capped = [&](double chips) {
    return study_rebound(
        market_of(market_text(fmt::format(", chips: {{capped: {}}}", chips), "", constant(e)), &surfaces));
  };
  EXPECT_NEAR(capped(2 * elastic).resources[kGpuHours].ratio, std::pow(g, e - 1), 1e-3);
  const ReboundReport full = capped(1.02 * elastic);  // g^0.2 = 1.08 would be wanted
  EXPECT_NEAR(full.end->state.point.gpus, 1.02 * elastic, 1e-9);
  const double load = 15000 * std::pow(g, e) / (1.02 * elastic / 4);
  EXPECT_NEAR(full.end->state.point.user_speed, kA - load / (g * kB), 0.1);
}

TEST(SimulatedSupply, CongestionOverASampledMM1QueueIsThatOfTheQueue) {
  // One replica of 20 GPUs, shared: a request of 300 tokens is there for 300 / (capacity - load).
  const auto queue = [](double gain) {
    const double capacity = 40000 * gain;
    const auto throughput = [=](double share) { return share * capacity; };
    return sampled_surface({throughput, [](double) { return 80.0; },
                            [=](double share) { return 300 / (capacity - throughput(share)); }},
                           spread_loads(0.05, 0.95, 200));
  };
  const std::string rest =
      "segments: {chat: {requests_per_second: 100, output_tokens: 300, volume: {generalised_cost: "
      "{elasticity: "
      "1.3, dollars_per_waiting_hour: 20}}}}}";
  for (const double g : {1.3, 2.0}) {
    GivenSurfaces surfaces(queue(1), queue(g));
    const Market simulated = market_of(
        "{supply: {simulated: {experiment: e.yaml, before: none, after: dspark, operating_point: "
        "{user_speed: 80}, "
        "gpus_per_replica: 20, dollars_per_gpu_hour: 3, chips: {fixed: 20}}}, " +
            rest,
        &surfaces);
    const Market formula = market_of(
        fmt::format(
            "{{gain: {}, supply: {{fixed_chips: {{gpus: 20, tokens_per_gpu_second: 2000, user_speed: 80, "
            "dollars_per_gpu_hour: 3, target_utilization: 0.95, largest_utilization: 0.95}}}}, ",
            g) +
        rest);
    const auto solve = [](const Market& market) {
      return follow_branch(DemandLoop(market, *market.after, market.rule, {})).end.state;
    };
    const MarketState a = solve(simulated), b = solve(formula);
    EXPECT_NEAR(a.load.tokens_per_second / b.load.tokens_per_second, 1, 1e-3) << g;
    EXPECT_NEAR(a.price / b.price, 1, 1e-3);
    EXPECT_NEAR(a.point.waiting_seconds / b.point.waiting_seconds, 1, 1e-3);
  }
}

TEST(SimulatedSupply, ASavingWithinTheSurfacesErrorGivesNoR) {
  GivenSurfaces noisy = apart(1.05, 0.02), quiet = apart(1.05, 0.002);
  EXPECT_THAT(study_rebound(market_of(market_text("", "", constant(0.5)), &noisy)).no_rebound,
              HasSubstr("within the supply's error"));
  EXPECT_EQ(study_rebound(market_of(market_text("", "", constant(0.5)), &quiet)).no_rebound, "");
}

TEST(SimulatedSupply, ErrorOfTheGainIsThatOfBothSurfacesAtTheSpeed) {
  GivenSurfaces surfaces = apart(1.5, 0.01);
  const Market market = market_of(market_text("", "", constant(0.5)), &surfaces);
  // ln throughput at a speed: 1 % of its own, plus 1 % of the speed times d ln(x u)/d ln u = u/(a - u) = 2/3.
  const double each = 0.01 * (1 + kSpeed / (kA - kSpeed));
  EXPECT_NEAR(market.measured->gain_error / market.gain.gain, std::sqrt(2.0) * each, 0.05 * each);
  EXPECT_NEAR(market.after->relative_error(), each, 0.05 * each);
}

TEST(SimulatedSupply, WhatTheSurfacesDoNotHaveIsAnErrorThatSaysWhatTheyHave) {
  GivenSurfaces surfaces = apart(1.5);
  const auto error = [&](std::string text, const std::string& old, const std::string& now) {
    text.replace(text.find(old), old.size(), now);
    return error_of_market(text, &surfaces);
  };
  const std::string text = market_text("", "", constant(0.5));
  EXPECT_EQ(error(text, "user_speed: 80", "user_speed: 90"), "");
  EXPECT_THAT(
      error(text, "user_speed: 80", "user_speed: 300"),
      HasSubstr("unreachable user speed: 300 tokens/s; sampled was simulated from 20.98 (512 users) to 196.7 "
                "(1 users)"));
  EXPECT_THAT(error(text, "user_speed: 80", "user_speed: 5"), HasSubstr("simulate larger loads"));
  EXPECT_THAT(error(text, "{supply", "{gain: 2, supply"), HasSubstr("'gain' is measured"));
  EXPECT_THAT(error(text, "output_tokens: 300", "output_tokens: 400"),
              HasSubstr("have 400 output tokens on average, the simulated ones 300"));
  EXPECT_THAT(error(text, "before: none", "loads: [1, 4, 2, 8], before: none"),
              HasSubstr("must rise, and 2"));
  EXPECT_THAT(error_of_market(text), HasSubstr("commands that run simulations"));
}

}  // namespace
}  // namespace dspark
