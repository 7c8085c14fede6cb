#include "sim/demand/rebound.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

#include "tests/sim/demand/flow_market.h"

namespace dspark {
namespace {

using testing::error_of_market;
using testing::market_of;

/// One segment on machines of constant returns; `more` holds further keys of the file, `segment` of the
/// segment.
std::string linear_market(double gain, const std::string& segment, const std::string& more = "") {
  return fmt::format(
      "{{gain: {}, supply: {{linear_cost: {{tokens_per_gpu_second: 2000, user_speed: 80, "
      "dollars_per_gpu_hour: 3, "
      "idle_watts: 300, active_watts: 1000, target_utilization: 0.6}}}}, segments: {{chat: "
      "{{requests_per_second: 50, "
      "context_tokens: 1200, output_tokens: 300, {}}}}}{}}}",
      gain, segment, more);
}

std::string fixed_market(double gain, const std::string& segment) {
  return fmt::format(
      "{{gain: {}, supply: {{fixed_chips: {{gpus: 20, tokens_per_gpu_second: 2000, user_speed: 80, "
      "dollars_per_gpu_hour: 3, active_watts: 1000}}}}, segments: {{chat: {{requests_per_second: 50, "
      "context_tokens: "
      "1200, output_tokens: 300, {}}}}}}}",
      gain, segment);
}

double sum(const auto& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

constexpr double kGains[] = {1.2, 1.51, 2, 3};
constexpr double kElasticities[] = {0, 0.06, 0.3, 0.5, 0.9, 1, 1.11, 1.5};

TEST(Rebound, ConstantElasticityWithFullPassThroughIsTheClosedForm) {
  for (const double g : kGains) {
    for (const double e : kElasticities) {
      const ReboundReport report = study_rebound(
          market_of(linear_market(g, fmt::format("volume: {{constant_elasticity: {{elasticity: {}}}}}", e))));
      const double ratio = std::pow(g, e - 1), rebound = 1 - (1 - ratio) / (1 - 1 / g);
      for (const ResourceRebound& resource : report.resources) {
        EXPECT_NEAR(resource.ratio, ratio, 1e-9) << g << " " << e;
        EXPECT_NEAR(resource.rebound.value(), rebound, 1e-8) << g << " " << e;
        EXPECT_NEAR(sum(resource.by_channel), resource.rebound.value(), 1e-9);
        EXPECT_NEAR(sum(resource.by_cause), resource.rebound.value(), 1e-9);
      }
      EXPECT_NEAR(report.tokens_ratio, std::pow(g, e), 1e-9);
      EXPECT_NEAR(report.pass_through, 1, 1e-9);
    }
  }
}

TEST(Rebound, BackfiresExactlyAboveElasticityOne) {
  for (const double g : kGains) {
    for (const double e : {0.99, 0.999, 1.001, 1.01}) {
      const ReboundReport report =
          study_rebound(market_of(linear_market(g, fmt::format("volume: {{constant_elasticity: {}}}", e))));
      EXPECT_EQ(report.resources[kGpuHours].rebound.value() > 1, e > 1) << g << " " << e;
      EXPECT_NEAR(report.break_even_multiple.value() * e, 1, 1e-8);
    }
  }
}

TEST(Rebound, WithoutElasticityEverythingIsSaved) {
  for (const char* form : {"constant_elasticity: {elasticity: 0}", "linear: {elasticity: 0}",
                           "logit: {elasticity: 0, share: 0.3}",
                           "generalised_cost: {elasticity: 0, dollars_per_waiting_hour: 20}"}) {
    const ReboundReport report =
        study_rebound(market_of(linear_market(2, fmt::format("volume: {{{}}}", form))));
    EXPECT_NEAR(report.resources[kGpuHours].rebound.value(), 0, 1e-12) << form;
    EXPECT_FALSE(report.break_even_multiple.has_value());
  }
}

TEST(Rebound, PartialPassThroughUsesGainToElasticityTimesPassThroughMinusOne) {
  for (const double phi : {0.0, 0.3, 0.7, 1.0}) {
    const ReboundReport report = study_rebound(market_of(
        linear_market(1.51, "volume: {constant_elasticity: {elasticity: 1.3}}",
                      fmt::format(", price: {{average_cost: {{pass_through: {}, markup: 0.4}}}}", phi))));
    EXPECT_NEAR(report.resources[kGpuHours].ratio, std::pow(1.51, 1.3 * phi - 1), 1e-9);
    EXPECT_NEAR(report.pass_through, phi, 1e-9);
    if (phi > 0.1) {
      EXPECT_NEAR(report.break_even_multiple.value() * 1.3, 1 / phi, 1e-7);
    }
  }
}

TEST(Rebound, WithGeneralisedCostTheLineOfBackfireMoves) {
  // A reply of 300 tokens at 80 tokens/s waits 3.75 s; the value of time makes money half of the cost.
  const double request_dollars = 600 * 3 / (2000 * 0.6 * 3600);
  const double g = 1.51, sigma = 0.5, line = std::log(g) / -std::log(1 - sigma + sigma / g);
  EXPECT_NEAR(line, 2.23, 0.005);
  for (const double e : {line - 0.01, line + 0.01}) {
    const ReboundReport report = study_rebound(market_of(linear_market(
        g, fmt::format(
               "volume: {{generalised_cost: {{elasticity: {:.12f}, dollars_per_waiting_hour: {:.17g}}}}}", e,
               request_dollars / 3.75 * 3600))));
    EXPECT_EQ(report.resources[kGpuHours].rebound.value() > 1, e > line);
    EXPECT_NEAR(report.break_even_multiple.value() * e, line, 1e-7);
    EXPECT_NEAR(report.price_elasticity, e * sigma, 1e-6);
  }
}

TEST(Rebound, ChannelsMultiplyAndEachCoalitionIsItsClosedForm) {
  const double g = 1.51, volume = 0.5, intensity = 0.2, fresh = 0.4;
  const ReboundReport report = study_rebound(market_of(linear_market(
      g,
      "volume: {constant_elasticity: {elasticity: 0.5}}, context_elasticity: 0.2, output_elasticity: 0.2, "
      "new_applications: {willingness_to_pay: {pareto: {alpha: 0.4}}}")));
  ASSERT_TRUE(report.attributed) << report.not_attributed;
  const double before = report.resources[kGpuHours].baseline;
  for (std::size_t s = 0; s < 16; ++s) {  // quality changes nothing while the operator holds the speed
    const double e = (s >> kVolume & 1 ? volume : 0) + (s >> kIntensity & 1 ? intensity : 0) +
                     (s >> kNewApplications & 1 ? fresh : 0);
    EXPECT_NEAR(report.coalitions[s][kGpuHours] / before, std::pow(g, e - 1), 1e-9) << s;
  }
  EXPECT_NEAR(sum(report.resources[kGpuHours].by_channel), report.resources[kGpuHours].rebound.value(), 1e-9);
  EXPECT_NEAR(report.resources[kGpuHours].by_channel[kQualityTakeBack], 0, 1e-12);
  EXPECT_NEAR(report.price_elasticity, volume + intensity + fresh, 1e-6);
}

TEST(Rebound, SpeedTakenAtMatchedThroughputAloneIsAFullRebound) {
  const ReboundReport report =
      study_rebound(market_of(linear_market(1.51, "volume: {constant_elasticity: {elasticity: 0}}",
                                            ", speed_gain: 1.7, operator: hold_throughput")));
  EXPECT_NEAR(report.resources[kGpuHours].rebound.value(), 1, 1e-9);
  EXPECT_NEAR(report.resources[kGpuHours].by_channel[kQualityTakeBack], 1, 1e-9);
  EXPECT_NEAR(report.resources[kGpuHours].by_cause[kQuality], 1, 1e-9);
  EXPECT_NEAR(report.end->state.point.user_speed, 80 * 1.7, 1e-9);
}

TEST(Rebound, FasterUsersWhoAskMoreAreCountedUnderLatency) {
  const ReboundReport report =
      study_rebound(market_of(linear_market(1.51,
                                            "volume: {constant_elasticity: {elasticity: 0}}, latency: "
                                            "{constant_latency_elasticity: {elasticity: 0.2}}",
                                            ", speed_gain: 1.7, operator: hold_throughput")));
  const ResourceRebound& gpus = report.resources[kGpuHours];
  EXPECT_NEAR(gpus.ratio, std::pow(1.7, 0.2), 1e-9);
  EXPECT_GT(gpus.by_cause[kLatency], 0.05);
  EXPECT_NEAR(gpus.by_cause[kPrice], 0, 1e-12);
  EXPECT_NEAR(sum(gpus.by_cause), gpus.rebound.value(), 1e-9);
}

TEST(Rebound, ReOptimisingTakesTheShareThatCostsLeast) {
  const auto study = [&](double hourly) {
    return study_rebound(market_of(linear_market(
        1.5,
        fmt::format("volume: {{generalised_cost: {{elasticity: 0, dollars_per_waiting_hour: {}}}}}", hourly),
        ", speed_gain: 1.7, operator: re_optimise")));
  };
  EXPECT_NEAR(study(1e-6).end->state.point.user_speed, 80, 1e-9);
  EXPECT_NEAR(study(1e4).end->state.point.user_speed, 136, 1e-9);
  // Between them money * g^(t-1) + time * h^-t is least; compared with its neighbours on the same frontier.
  const double money = 600 * 3 / (2000 * 0.6 * 3600), hourly = 3600 * money / 3.75, time = money;
  const double t = std::log(study(hourly).end->state.point.user_speed / 80) / std::log(1.7);
  const auto cost = [&](double s) { return money * std::pow(1.5, s - 1) + time * std::pow(1.7, -s); };
  EXPECT_GT(t, 0.05);
  EXPECT_LT(t, 0.95);
  EXPECT_LT(cost(t), cost(t + 1e-3));
  EXPECT_LT(cost(t), cost(t - 1e-3));
}

TEST(Rebound, FixedChipsAreAFullReboundWithAShadowBesideIt) {
  for (const double e : {0.0, 0.5, 1.2}) {
    const ReboundReport report = study_rebound(
        market_of(fixed_market(1.51, fmt::format("volume: {{constant_elasticity: {{elasticity: {}}}}}", e))));
    const ResourceRebound& gpus = report.resources[kGpuHours];
    EXPECT_NEAR(gpus.rebound.value(), 1, 1e-12);
    // Chips that hold the baseline's waiting: capacity n*c*g = load + (n0*c - load0), load = load0 * g^e.
    const double load = 50 * 600, capacity = 20 * 2000;
    const double chips = (load * std::pow(1.51, e) + capacity - load) / (2000 * 1.51), saved = 20 - 20 / 1.51;
    EXPECT_NEAR(gpus.shadow.value(), (chips - 20 / 1.51) / saved, 1e-9) << e;
    EXPECT_NEAR(sum(gpus.by_channel), gpus.shadow.value(), 1e-9);
    EXPECT_TRUE(report.of_shadow);
  }
}

TEST(Rebound, ABindingBudgetIsAFullRebound) {
  // The baseline spends 50 * 600 tokens/s * 3600 s at 3 $ / (2000 * 0.6 * 3600) tokens: exactly 75 $ per
  // hour.
  const ReboundReport report = study_rebound(market_of(
      linear_market(1.51, "volume: {constant_elasticity: {elasticity: 1.4}}, budget_dollars_per_hour: 75")));
  EXPECT_NEAR(report.resources[kDollars].rebound.value(), 1, 1e-9);
}

TEST(Rebound, WithoutAGainThereIsNoR) {
  const ReboundReport report =
      study_rebound(market_of(linear_market(1, "volume: {constant_elasticity: {elasticity: 0.5}}")));
  for (const ResourceRebound& resource : report.resources) EXPECT_FALSE(resource.rebound.has_value());
  EXPECT_THAT(report.no_rebound, ::testing::HasSubstr("gain 1"));
  EXPECT_NEAR(report.resources[kGpuHours].ratio, 1, 1e-12);
}

TEST(Rebound, SurplusIsTheAreaLeftOfDemand) {
  const double spent = 75;  // $/h, as above
  for (const double e : {0.5, 1.0, 1.5}) {
    const ReboundReport report = study_rebound(
        market_of(linear_market(2, fmt::format("volume: {{constant_elasticity: {{elasticity: {}}}}}", e))));
    const double expected = e == 1 ? spent * std::log(2.0) : spent * (1 - std::pow(0.5, 1 - e)) / (1 - e);
    EXPECT_NEAR(report.surplus_per_hour, expected, 1e-7) << e;
  }
}

TEST(Rebound, AMonopolistFacingConstantElasticityPassesAllOnAndMoreThanTheCostInDollars) {
  const ReboundReport report = study_rebound(
      market_of(linear_market(1.51, "volume: {constant_elasticity: {elasticity: 2}}", ", price: monopoly")));
  EXPECT_NEAR(report.pass_through, 1, 1e-6);
  EXPECT_NEAR(report.price_per_cost, 2, 1e-6);  // e / (e - 1)
  EXPECT_NEAR(report.resources[kGpuHours].ratio, 1.51, 1e-6);
}

TEST(Rebound, AMonopolistFacingALineMeetsItHalfWay) {
  // Elasticity 2 at p0 = 2c: choke price 1.5 p0 = 3c; after the gain the best price is (3c + c/g)/2.
  const Market market = market_of(linear_market(2, "volume: {linear: {elasticity: 2}}", ", price: monopoly"));
  const double cost = market.baseline.point.cost_per_million_tokens;
  EXPECT_NEAR(market.baseline.price, 2 * cost, 1e-6 * cost);
  EXPECT_NEAR(study_rebound(market).end->state.price, (3 * cost + cost / 2) / 2, 1e-6 * cost);
}

TEST(Market, WhatMakesNoSenseIsAnError) {
  using ::testing::HasSubstr;
  EXPECT_THAT(error_of_market(linear_market(2, "volume: {constant_elasticity: {elasticity: -0.5}}")),
              HasSubstr("elasticities are written positive here: usage ~ price^-elasticity, so 0.5 says"));
  EXPECT_THAT(error_of_market(linear_market(2, "volume: {constant_elasticity: {elasticity: nbr}}")),
              HasSubstr("did you mean 'nber'?"));
  EXPECT_THAT(error_of_market(
                  linear_market(2, "volume: {constant_elasticity: {elasticity: 0.9}}", ", price: monopoly")),
              HasSubstr("no price of largest profit"));
  // Level profit at 20 000 times the cost is beyond what prices are searched for.
  EXPECT_THAT(error_of_market(linear_market(2, "volume: {constant_elasticity: {elasticity: 1.00005}}",
                                            ", price: monopoly")),
              HasSubstr("it is not the largest"));
  EXPECT_EQ(error_of_market(linear_market(2, "volume: {constant_elasticity: {elasticity: 0.9}}",
                                          ", price: {monopoly: {price_cap: 10}}")),
            "");
  EXPECT_THAT(error_of_market(linear_market(0, "volume: {constant_elasticity: {elasticity: 1}}")),
              HasSubstr("'gain' must be"));
}

}  // namespace
}  // namespace dspark
