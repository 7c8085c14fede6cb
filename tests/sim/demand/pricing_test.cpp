#include "sim/demand/pricing.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>

#include "sim/demand/rebound.h"
#include "tests/sim/demand/flow_market.h"

namespace dspark {
namespace {

using testing::error_of_market;
using testing::market_of;

TEST(Pricing, TheWelfarePriceOfAnMM1QueueIsMendelsonsSolution) {
  // Requests of one token, capacity m per second: W = 1/(m - Q), so p = v Q/(m - Q)^2 per request, and with
  // elasticity 1 of the generalised cost Q (p + v (W + d)) = K, d the decoding time.
  for (const double gain : {1.0, 1.5, 3.0}) {
    const Market market =
        market_of(fmt::format("{{gain: {}, price: welfare, supply: {{fixed_chips: {{gpus: 2, "
                              "tokens_per_gpu_second: 50, user_speed: "
                              "100, dollars_per_gpu_hour: 3}}}}, segments: {{chat: {{requests_per_second: "
                              "60, output_tokens: 1, volume: "
                              "{{generalised_cost: {{elasticity: 1, dollars_per_waiting_hour: 36}}}}}}}}}}",
                              gain));
    constexpr double v = 0.01, d = 0.01;
    const auto cost = [&](double q, double m) { return v * q / ((m - q) * (m - q)) + v * (1 / (m - q) + d); };
    const double k = 60 * cost(60, 100), m = 100 * gain;
    double low = 0, high = m;
    for (int i = 0; i < 200; ++i) {
      const double q = 0.5 * (low + high);
      (q * cost(q, m) < k ? low : high) = q;
    }
    EXPECT_NEAR(market.baseline.price, 1e6 * v * 60 / (40 * 40), 1e-4);
    const ReboundReport report = settle_market(market, {});
    ASSERT_TRUE(report.end);
    EXPECT_NEAR(report.end->state.load.requests_per_second, low, 1e-7 * low) << gain;
  }
}

TEST(Pricing, ChipsThatFollowTheLoadArePricedAtTheirCost) {
  const std::string rest =
      "supply: {linear_cost: {tokens_per_gpu_second: 2000, user_speed: 80, dollars_per_gpu_hour: 3}}, "
      "segments: "
      "{chat: {requests_per_second: 50, output_tokens: 300, volume: {constant_elasticity: {elasticity: "
      "0.5}}}}}";
  const auto rebound = [&](const std::string& price) {
    return settle_market(market_of("{gain: 2, price: " + price + ", " + rest), {})
        .resources[kGpuHours]
        .rebound;
  };
  EXPECT_NEAR(rebound("welfare").value(), rebound("average_cost").value(), 1e-9);
}

TEST(Pricing, ACostThatTheGainDoesNotTouchLowersThePassThroughOfGpuCost) {
  // Price = GPU cost c + other cost o: from c + o to c/g + o, whatever the mark-up is.
  constexpr double c = 3.0 / 2000 / 3600 * 1e6, o = 0.5, g = 2, e = 0.8;
  const Market market = market_of(fmt::format(
      "{{gain: {}, price: {{average_cost: {{markup: 0.2, other_cost_per_million_tokens: {}}}}}, supply: "
      "{{linear_cost: {{tokens_per_gpu_second: 2000, user_speed: 80, dollars_per_gpu_hour: 3}}}}, segments: "
      "{{chat: {{requests_per_second: 50, output_tokens: 300, volume: {{constant_elasticity: {{elasticity: "
      "{}}}}}}}}}}}",
      g, o, e));
  const ReboundReport report = settle_market(market, {});
  const double price_ratio = (c / g + o) / (c + o), ratio = std::pow(price_ratio, -e) / g;
  EXPECT_NEAR(market.baseline.price, 1.2 * (c + o), 1e-12);
  EXPECT_NEAR(report.resources[kGpuHours].ratio, ratio, 1e-9);
  EXPECT_NEAR(report.resources[kGpuHours].rebound.value(), (ratio - 1 / g) / (1 - 1 / g), 1e-8);
  EXPECT_NEAR(report.pass_through, std::log(price_ratio) / std::log(1 / g), 1e-9);
  EXPECT_LT(report.pass_through, 0.6);
}

TEST(Pricing, AWelfarePriceOfNothingIsRefused) {
  EXPECT_THAT(
      error_of_market("{gain: 2, price: welfare, supply: {fixed_chips: {gpus: 20, tokens_per_gpu_second: "
                      "2000, user_speed: 80, dollars_per_gpu_hour: 3}}, segments: {chat: "
                      "{requests_per_second: 50, output_tokens: 300, volume: {constant_elasticity: "
                      "{elasticity: 0.5}}}}}"),
      ::testing::HasSubstr("delays nobody"));
}

TEST(Pricing, TheShadowDemandUnderACapIsThatWithoutIt) {
  const auto study = [](const std::string& supply) {
    return study_rebound(market_of(
        "{gain: 1.1, supply: {" + supply +
        "tokens_per_gpu_second: 2000, user_speed: 80, dollars_per_gpu_hour: 3, target_utilization: 0.6, "
        "waiting_seconds: 0.5}}, segments: {chat: {requests_per_second: 50, output_tokens: 300, latency: "
        "{constant_latency_elasticity: {elasticity: 0.3}}, volume: {constant_elasticity: {elasticity: "
        "3}}}}}"));
  };
  const ReboundReport capped = study("capped_chips: {most_gpus: 12.5, ");
  const ReboundReport free = study("linear_cost: {");
  ASSERT_TRUE(capped.shadow_tokens_per_second);
  EXPECT_FALSE(free.shadow_tokens_per_second);
  EXPECT_NEAR(*capped.shadow_tokens_per_second, 15000 * std::pow(1.1, 3), 1e-5);
  EXPECT_NEAR(*capped.shadow_tokens_per_second, free.end->state.load.tokens_per_second, 1e-5);
  EXPECT_LT(capped.end->state.load.tokens_per_second, *capped.shadow_tokens_per_second);
}

}  // namespace
}  // namespace dspark
