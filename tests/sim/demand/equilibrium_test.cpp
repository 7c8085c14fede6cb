#include "sim/demand/equilibrium.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>

#include "tests/sim/demand/flow_market.h"

namespace dspark {
namespace {

using testing::market_of;

DemandLoop after(const Market& market) { return {market, *market.after, market.rule, {}}; }

TEST(Equilibrium, CongestionOfAnMM1QueueIsItsAnalyticSolution) {
  // Requests Q = Q0 * (p0 + v W0)/(p + v W) with W = 1/(mu - Q) + d: a quadratic in Q.
  for (const double g : {1.0, 1.3, 2.0, 4.0}) {
    const double hourly = 20, v = hourly / 3600, mu = 20 * 2000 * g / 600, mu0 = 20 * 2000 / 600.0,
                 decode = 300 / 80.0;
    const Market market = market_of(fmt::format(
        "{{gain: {}, supply: {{fixed_chips: {{gpus: 20, tokens_per_gpu_second: 2000, user_speed: 80, "
        "dollars_per_gpu_hour: 3}}}}, segments: {{chat: {{requests_per_second: 50, context_tokens: 1200, "
        "output_tokens: "
        "300, volume: {{generalised_cost: {{elasticity: 1, dollars_per_waiting_hour: {}}}}}}}}}}}",
        g, hourly));
    const double p0 = 3 / (2000.0 * 3600) * 600, p = p0 / g + v * decode;
    const double k = 50 * (p0 + v * (decode + 1 / (mu0 - 50)));
    const double b = p * mu + v + k, expected = (b - std::sqrt(b * b - 4 * p * k * mu)) / (2 * p);
    const Equilibria found = find_equilibria(after(market));
    ASSERT_EQ(found.existence, Existence::kFound);
    ASSERT_EQ(found.found.size(), 1u);
    EXPECT_NEAR(found.found[0].state.load.requests_per_second, expected, 1e-8 * expected) << g;
    EXPECT_LT(found.found[0].slope, 0);
    EXPECT_NEAR(follow_branch(after(market)).end.state.load.requests_per_second, expected, 1e-8 * expected);
  }
}

std::string whole_chips(double requests, double elasticity) {
  return fmt::format(
      "{{gain: 1.6, supply: {{linear_cost: {{tokens_per_gpu_second: 2000, user_speed: 80, "
      "dollars_per_gpu_hour: 3, "
      "whole_chips: true}}}}, segments: {{chat: {{requests_per_second: {}, output_tokens: 100, volume: "
      "{{constant_elasticity: {{elasticity: {}}}}}}}}}}}",
      requests, elasticity);
}

TEST(Equilibrium, WholeChipsCanHaveNoneAndAlternate) {
  // 2.9 chips' load: three are bought, their price per token is 3/2.9 of a chip's. After the gain 1.6 one
  // chip carries 3200 tokens/s; two at 6300 are cheap enough for more, and a third would be too dear for it.
  int alternating = 0;
  for (double requests = 20; requests <= 80; requests += 2) {
    const Market market = market_of(whole_chips(requests, 0.9));
    const Equilibria found = find_equilibria(after(market));
    if (found.existence != Existence::kAlternates) continue;
    ++alternating;
    EXPECT_EQ(found.more_gpus, found.fewer_gpus + 1);
    // The jump is where the fewer are full: just below demand asks for more, just above for less.
    const double edge = std::log(found.fewer_gpus * 3200);
    EXPECT_GT(after(market).excess(edge - 1e-6), 0);
    EXPECT_LT(after(market).excess(edge + 1e-6), 0);
  }
  EXPECT_GT(alternating, 0);
}

TEST(Equilibrium, FallingAverageCostWithElasticDemandTips) {
  // On one whole chip the price is ~ 1/load, so demand of elasticity e has slope e round the loop.
  const Market market = market_of(
      "{gain: 1, supply: {linear_cost: {tokens_per_gpu_second: 1000000, user_speed: 80, "
      "dollars_per_gpu_hour: 3, "
      "whole_chips: true}}, segments: {chat: {requests_per_second: 10, output_tokens: 100, volume: "
      "{constant_elasticity: {elasticity: 1.5}}}}}");
  const DemandLoop loop = after(market);
  EXPECT_NEAR(loop.slope(std::log(1000.0)), 1.5, 1e-6);
  const Branch branch = nearest_equilibrium(loop, std::log(1000.0));
  EXPECT_FALSE(branch.whole);
  EXPECT_THAT(branch.reason, ::testing::HasSubstr("tips"));
}

TEST(Equilibrium, DemandBeyondTheCapThatNoWaitingHoldsBackIsRationed) {
  const Market market = market_of(
      "{gain: 2, supply: {capped_chips: {most_gpus: 3, tokens_per_gpu_second: 1000, target_utilization: 0.6, "
      "user_speed: "
      "80, waiting_seconds: 1, dollars_per_gpu_hour: 3}}, segments: {chat: {requests_per_second: 17, "
      "output_tokens: 100, "
      "volume: {constant_elasticity: {elasticity: 2}}}}}");
  const Equilibria found = find_equilibria(after(market));
  ASSERT_EQ(found.existence, Existence::kRationed);
  EXPECT_NEAR(found.at_limit.load.tokens_per_second, 3 * 2000 * 0.95, 1e-6);
  EXPECT_NEAR(found.at_limit.demand.tokens_per_second, 1700 * 4, 1e-6);
  EXPECT_FALSE(follow_branch(after(market)).whole);
}

TEST(Equilibrium, SeveralSegmentsSettleWhereOneLoopOfAllDoes) {
  const Market market = market_of(
      "{gain: 1.51, supply: {fixed_chips: {gpus: 20, tokens_per_gpu_second: 2000, user_speed: 80, "
      "dollars_per_gpu_hour: "
      "3}}, segments: {chat: {requests_per_second: 30, context_tokens: 1200, output_tokens: 300, volume: "
      "{generalised_cost: {elasticity: 1.2, dollars_per_waiting_hour: 20}}}, batch: {requests_per_second: "
      "10, "
      "output_tokens: 1000, volume: {constant_elasticity: {elasticity: 0.8}}, output_elasticity: 0.2}}}");
  const Equilibria found = find_equilibria(after(market));
  ASSERT_EQ(found.existence, Existence::kFound);
  ASSERT_EQ(found.found.size(), 1u);
  const MarketState& state = found.found[0].state;
  EXPECT_NEAR(state.demand.tokens_per_second / state.load.tokens_per_second, 1, 1e-9);
  EXPECT_NEAR(state.demand.requests_per_second / state.load.requests_per_second, 1, 1e-9);
  EXPECT_NEAR(follow_branch(after(market)).end.state.load.tokens_per_second, state.load.tokens_per_second,
              1e-7 * state.load.tokens_per_second);
}

TEST(FixedPoint, StabilityIsThatOfPartialAdjustment) {
  const auto with_slope = [](double slope) {
    FixedPoint point;
    point.slope = slope;
    return point;
  };
  EXPECT_TRUE(with_slope(1.2).tips());
  EXPECT_EQ(with_slope(1.2).largest_adjustment(), 0);
  EXPECT_EQ(with_slope(-0.5).largest_adjustment(), 1);
  EXPECT_EQ(with_slope(-3).largest_adjustment(), 0.5);  // 1 - 2/k = -3
}

}  // namespace
}  // namespace dspark
