#include "sim/demand/growth/growth_path.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

#include "sim/demand/growth/growth_report.h"
#include "tests/sim/demand/flow_market.h"

namespace dspark {
namespace {

struct Case {
  Market market;
  GrowthPlan plan;
};

/// Constant returns; 62.5 GPU-equivalents would be 37500 tokens/s at the target of 0.6.
Case growth_of(const std::string& growth, const std::string& segment = "volume: constant_elasticity",
               const std::string& more = "", double gain = 2) {
  const std::string text = fmt::format(
      "{{gain: {}, elasticity: 0.5, supply: {{linear_cost: {{tokens_per_gpu_second: 2000, user_speed: 80, "
      "dollars_per_gpu_hour: 3, idle_watts: 300, active_watts: 1000, target_utilization: 0.6, "
      "waiting_seconds: 1}}}}, segments: {{chat: {{requests_per_second: 50, context_tokens: 1200, "
      "output_tokens: 300, {}}}}}, growth: {{{}}}{}}}",
      gain, segment, growth, more);
  Parameters parameters(testing::FlowReader(text).value());
  Case read{read_market(parameters), {}};
  read.plan = read_growth_plan(parameters, read.market);
  parameters.finish();
  for (const Error& error : parameters.errors()) ADD_FAILURE() << to_string(error) << "\nin " << text;
  return read;
}

TEST(GrowthPath, WithoutLagsEveryEpochIsTheEquilibrium) {
  for (const double e : {0.0, 0.5, 1.5}) {
    Case c = growth_of("epochs: 3", fmt::format("volume: {{constant_elasticity: {{elasticity: {}}}}}", e));
    const ReboundReport once = study_rebound(c.market);
    const GrowthReport report = study_growth(c.market, c.plan);
    ASSERT_EQ(report.broken, "");
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t k = 0; k < kResources; ++k) {
        EXPECT_NEAR(report.resources[i][k].ratio, once.resources[k].ratio, 1e-9);
        EXPECT_NEAR(*report.resources[i][k].rebound, *once.resources[k].rebound, 1e-8);
      }
      EXPECT_NEAR(report.with_policy.epochs[i].price, once.end->state.price, 1e-9);
    }
  }
}

TEST(GrowthPath, APartOfTheServersSharesTheLoadByItsCapacity) {
  Case c = growth_of("epochs: 9, epoch: year, policy: {logistic: {half_after: 4, years: 4}}",
                     "volume: {constant_elasticity: {elasticity: 0}}");
  const GrowthPath path = follow_growth(c.market, c.plan, true);
  for (const EpochState& e : path.epochs) {
    // N servers of which a share a has twice the capacity serve N (1 - a) + 2 N a.
    EXPECT_NEAR(e.fleet.gpus, 25 / (1 + e.policy_share), 1e-9);
    EXPECT_NEAR(e.point.busy_share, 0.6, 1e-9);
    EXPECT_NEAR(e.point.cost_per_million_tokens,
                c.market.baseline.point.cost_per_million_tokens / (1 + e.policy_share), 1e-9);
  }
  EXPECT_EQ(path.epochs.front().policy_share, 0);
  EXPECT_GT(path.epochs.back().policy_share, 0.9);
}

TEST(GrowthPath, PartialAdjustmentClosesItsShareOfTheGap) {
  Case c = growth_of("epochs: 6, demand_adjustment: 0.3, policy: {at_once: {from: 0.25}}");
  const GrowthPath path = follow_growth(c.market, c.plan, true);
  const double whole = 0.5 * std::log(2.0);  // elasticity times ln of the fall of the price
  EXPECT_NEAR(path.epochs[0].load.tokens_per_second, 30000, 1e-4);
  for (int i = 1; i < 6; ++i) {
    EXPECT_NEAR(std::log(path.epochs[static_cast<std::size_t>(i)].load.tokens_per_second / 30000),
                whole * (1 - std::pow(0.7, i)), 1e-9);
  }
}

TEST(GrowthPath, PricesStayForTheLengthOfTheirContracts) {
  Case c = growth_of("epochs: 8, contract_epochs: 4, policy: {at_once: {from: 0.25}}");
  const GrowthPath path = follow_growth(c.market, c.plan, true);
  const double before = c.market.baseline.price;
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(path.epochs[i].price, before, 1e-12);
  for (std::size_t i = 4; i < 8; ++i) EXPECT_NEAR(path.epochs[i].price, before / 2, 1e-12);
}

TEST(GrowthPath, LateGpusMakeUsersWait) {
  const std::string segment =
      "growth_per_year: 16, volume: {constant_elasticity: {elasticity: 0}}, latency: "
      "{constant_latency_elasticity: {elasticity: 0.3}}";
  Case prompt = growth_of("epochs: 5", segment), late = growth_of("epochs: 5, lead_epochs: 2", segment);
  const GrowthPath at_once = follow_growth(prompt.market, prompt.plan, false);
  const GrowthPath lagging = follow_growth(late.market, late.plan, false);
  ASSERT_EQ(lagging.broken, "");
  for (std::size_t i = 1; i < 5; ++i) {
    EXPECT_NEAR(at_once.epochs[i].point.busy_share, 0.6, 1e-9);
    EXPECT_GT(lagging.epochs[i].latency_seconds, at_once.epochs[i].latency_seconds);
    EXPECT_LT(lagging.epochs[i].load.tokens_per_second, at_once.epochs[i].load.tokens_per_second);
    // Demand is what users want at the waiting that they have: growth times the answer to it.
    const double answer =
        std::pow(lagging.epochs[i].latency_seconds / at_once.epochs[0].latency_seconds, -0.3);
    EXPECT_NEAR(lagging.epochs[i].demand.tokens_per_second,
                30000 * std::pow(16, 0.25 * static_cast<double>(i)) * answer, 1e-3);
  }
}

TEST(GrowthPath, BeyondACapRequestsAreTurnedAway) {
  Case c = growth_of("epochs: 5, most_gpus: 30",
                     "growth_per_year: 16, volume: {constant_elasticity: {elasticity: 0}}");
  const GrowthPath path = follow_growth(c.market, c.plan, false);
  const EpochState& last = path.epochs.back();
  EXPECT_NEAR(last.fleet.gpus, 30, 1e-9);
  EXPECT_NEAR(last.load.tokens_per_second, 30 * 2000 * 0.999, 1e-3);
  EXPECT_NEAR(last.load.tokens_per_second + last.lost_tokens_per_second, 30000 * 16, 1e-2);
  EXPECT_EQ(path.epochs.front().lost_tokens_per_second, 0);
}

TEST(GrowthPath, NewGpusReplaceThoseThatRetire) {
  Case c = growth_of(
      "epochs: 9, life_epochs: 4, generations: {next: {from: 1, gain: 2.5, dollars: 1.5, watts: 1.2}}",
      "volume: {constant_elasticity: {elasticity: 0}}");
  const GrowthPath path = follow_growth(c.market, c.plan, false);
  for (const EpochState& e : path.epochs) EXPECT_NEAR(e.fleet.equivalents, 25, 1e-9);
  EXPECT_NEAR(path.epochs[3].fleet.gpus, 25, 1e-9);
  EXPECT_NEAR(path.epochs[8].fleet.gpus, 10, 1e-9);  // all of the next generation
  EXPECT_NEAR(path.epochs[8].point.dollars_per_hour, 10 * 1.5 * 3, 1e-9);
  EXPECT_NEAR(path.epochs[8].price, path.epochs[0].price * 1.5 / 2.5, 1e-9);
  EXPECT_NEAR(path.epochs[8].point.kilowatts, path.epochs[0].point.kilowatts * 1.2 / 2.5, 1e-9);
}

TEST(GrowthPath, TokensByChannelAddUpToTheChange) {
  Case c = growth_of("epochs: 8, demand_adjustment: 0.4, policy: {at_once: {from: 0.5}}",
                     "growth_per_year: 1.7, context_elasticity: 0.3, saturation: 2, potential: 3, adoption: "
                     "{bass: {innovation: 0.1, imitation: 0.5}}, new_applications: {willingness_to_pay: "
                     "{lognormal: {median: 1, sigma: 1}}}");
  const GrowthPath path = follow_growth(c.market, c.plan, true);
  ASSERT_EQ(path.broken, "");
  for (const EpochState& e : path.epochs) {
    EXPECT_NEAR(std::accumulate(e.tokens_by_channel.begin(), e.tokens_by_channel.end(), 0.0),
                e.demand.tokens_per_second - 30000, 1e-6);
  }
  const EpochState& last = path.epochs.back();
  EXPECT_GT(last.tokens_by_channel[kMoreRequests], 0);
  EXPECT_GT(last.tokens_by_channel[kLongerRequests], 0);
  EXPECT_GT(last.tokens_by_channel[kMoreApplications], 0);
  EXPECT_LT(last.tokens_by_channel[kLimits], 0);
  EXPECT_EQ(c.market.segments[0].requests_per_second, 50);  // the baseline is put back
  EXPECT_EQ(c.market.segments[0].saturation, 2);
}

TEST(GrowthPath, EngineeringAloneServesTheDemandWithoutThePolicy) {
  Case c = growth_of("epochs: 6, lead_epochs: 1, policy: {logistic: {half_after: 0.5, years: 0.5}}",
                     "growth_per_year: 1.3, volume: {constant_elasticity: {elasticity: 0.8}}");
  const GrowthReport report = study_growth(c.market, c.plan);
  ASSERT_EQ(report.broken, "");
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(report.engineering.epochs[i].load.tokens_per_second,
                report.without_policy.epochs[i].load.tokens_per_second, 1e-4);
    const auto& parts = report.engineering.epochs[i].tokens_by_channel;
    EXPECT_NEAR(std::accumulate(parts.begin(), parts.end(), 0.0),
                report.engineering.epochs[i].demand.tokens_per_second - 30000, 1e-6);
    EXPECT_EQ(parts[kMoreRequests], report.without_policy.epochs[i].tokens_by_channel[kMoreRequests]);
  }
  EXPECT_LT(report.in_all[kGpuHours].engineering, report.in_all[kGpuHours].baseline);
  const ResourceRebound& all = report.in_all[kGpuHours];
  EXPECT_NEAR(*all.rebound, (all.equilibrium - all.engineering) / (all.baseline - all.engineering), 1e-12);
  EXPECT_FALSE(report.resources[0][kGpuHours].rebound);  // nobody has adopted it yet
}

}  // namespace
}  // namespace dspark
