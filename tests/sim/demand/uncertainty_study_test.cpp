#include "sim/demand/uncertainty_study.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <thread>

#include "sim/demand/rebound.h"
#include "tests/sim/demand/flow_market.h"

namespace dspark {
namespace {

using testing::market_of;

constexpr double kGain = 1.51;
double closed_form(double e) { return 1 - (1 - std::pow(kGain, e - 1)) / (1 - 1 / kGain); }

/// Constant elasticity, full pass-through: R is a rising function of the elasticity.
Market constant_market(double e) {
  return market_of(fmt::format(
      "{{gain: {}, supply: {{linear_cost: {{tokens_per_gpu_second: 2000, user_speed: 80, "
      "dollars_per_gpu_hour: 3}}}}, segments: {{chat: {{requests_per_second: 50, output_tokens: 300, "
      "volume: {{constant_elasticity: {{elasticity: {}}}}}}}}}}}",
      kGain, e));
}

void in_order(std::size_t count, const std::function<void(std::size_t)>& body) {
  for (std::size_t i = 0; i < count; ++i) body(i);
}
void on_four_threads(std::size_t count, const std::function<void(std::size_t)>& body) {
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < count; i += 4) body(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

MarketOutcome uniform_elasticity(std::span<const double> u, bool all) {
  return market_outcome(constant_market(0.2 + u[0]), all);
}

TEST(UncertaintyStudy, QuantilesOfRAreTheImagesOfThoseOfTheElasticity) {
  const UncertaintyReport report = study_uncertainty(1, uniform_elasticity, 400, 3, in_order);
  ASSERT_TRUE(report.bands[kReboundR]);
  const Band& band = *report.bands[kReboundR];
  const double found[] = {band.p05, band.p50, band.p95}, shares[] = {0.05, 0.5, 0.95};
  for (std::size_t i = 0; i < 3; ++i) {
    // Four standard errors of the share of draws below a quantile.
    const double error = 4 * std::sqrt(shares[i] * (1 - shares[i]) / 400);
    EXPECT_GE(found[i], closed_form(0.2 + shares[i] - error));
    EXPECT_LE(found[i], closed_form(0.2 + shares[i] + error));
    EXPECT_LE(band.intervals[i][0], found[i]);
    EXPECT_GE(band.intervals[i][1], found[i]);
  }
  EXPECT_NEAR(report.at_medians.values[kReboundR], closed_form(0.7), 1e-8);
  EXPECT_NEAR(report.tornado[0].at_low.values[kReboundR], closed_form(0.25), 1e-8);
  EXPECT_NEAR(report.tornado[0].at_high.values[kReboundR], closed_form(1.15), 1e-8);
  ASSERT_TRUE(report.bands[kBreakEven]);
  EXPECT_NEAR(report.bands[kBreakEven]->p05, 1, 1e-6);  // the elasticity of backfire, whatever is drawn
  EXPECT_NEAR(report.bands[kBreakEven]->p95, 1, 1e-6);
}

TEST(UncertaintyStudy, BackfireIsAsLikelyAsAnElasticityAboveOne) {
  const UncertaintyReport report = study_uncertainty(1, uniform_elasticity, 400, 3, in_order);
  ASSERT_TRUE(report.backfire);
  EXPECT_NEAR(report.backfire->value, 0.2, 4 * std::sqrt(0.2 * 0.8 / 400));
  EXPECT_LT(report.backfire->low, report.backfire->value);
  EXPECT_GT(report.backfire->high, report.backfire->value);
  EXPECT_EQ(report.endings[static_cast<std::size_t>(Ending::kOnBranch)].count, 400u);
}

TEST(UncertaintyStudy, IsTheSameOnAnyNumberOfThreads) {
  const auto one = study_uncertainty(1, uniform_elasticity, 200, 3, in_order);
  const auto four = study_uncertainty(1, uniform_elasticity, 200, 3, on_four_threads);
  const auto other = study_uncertainty(1, uniform_elasticity, 200, 4, in_order);
  for (std::size_t i = 0; i < kOutputs; ++i) EXPECT_EQ(one.bands[i]->mean, four.bands[i]->mean);
  EXPECT_EQ(one.rebound[0].total.low, four.rebound[0].total.low);
  EXPECT_NE(one.bands[kReboundR]->mean, other.bands[kReboundR]->mean);
}

TEST(UncertaintyStudy, DrawsWithoutARAreCountedAndNeverDropped) {
  // Of the two values the second makes no market in a quarter of the draws.
  const auto market = [](std::span<const double> u, bool all) {
    if (u[1] < 0.25) return refused_outcome({Error{"no market", {}, {}}});
    return uniform_elasticity(u, all);
  };
  const auto report = study_uncertainty(2, market, 400, 3, in_order);
  const Share refused = report.endings[static_cast<std::size_t>(Ending::kRefused)];
  EXPECT_NEAR(refused.value, 0.25, 4 * std::sqrt(0.25 * 0.75 / 400));
  EXPECT_EQ(report.refusals.at("no market"), refused.count);
  EXPECT_EQ(report.without_rebound.count, refused.count);
  EXPECT_EQ(report.backfire->of + refused.count, 400u);
  EXPECT_EQ(report.bands[kReboundR]->draws, report.backfire->of);
  std::size_t all = 0;
  for (const Share& share : report.endings) all += share.count;
  EXPECT_EQ(all, 400u);
  EXPECT_LT(report.rebound_rows, 400u);
}

TEST(UncertaintyStudy, ADrawEndsWhereTheWholeStudyEnds) {
  // Congestion, budgets, saturation, whole chips, a limit: the cheap path must find the same end.
  const std::string segments[] = {"volume: {generalised_cost: {elasticity: 1, dollars_per_waiting_hour: 20}}",
                                  "volume: {constant_elasticity: {elasticity: 1.5}}",
                                  "volume: {logit: {elasticity: 2, share: 0.1}}, latency: search",
                                  "volume: {constant_elasticity: {elasticity: 3}}, saturation: 2"};
  const std::string supplies[] = {
      "linear_cost: {tokens_per_gpu_second: 2000, user_speed: 80, dollars_per_gpu_hour: 3, whole_chips: "
      "true}",
      "fixed_chips: {gpus: 20, tokens_per_gpu_second: 2000, user_speed: 80, dollars_per_gpu_hour: 3}",
      "capped_chips: {most_gpus: 9, tokens_per_gpu_second: 2000, user_speed: 80, dollars_per_gpu_hour: 3, "
      "target_utilization: 0.9}"};
  for (const std::string& segment : segments) {
    for (const std::string& supply : supplies) {
      const Market market =
          market_of(fmt::format("{{gain: 2, supply: {{{}}}, segments: {{chat: {{requests_per_second: 50, "
                                "output_tokens: 300, {}}}}}}}",
                                supply, segment));
      const ReboundReport whole = study_rebound(market);
      const ReboundReport cheap = settle_market(market, {.equilibria = false});
      ASSERT_EQ(whole.end.has_value(), cheap.end.has_value()) << supply << segment;
      EXPECT_EQ(whole.turned_away, cheap.turned_away);
      EXPECT_EQ(whole.resources[kGpuHours].rebound, cheap.resources[kGpuHours].rebound) << supply << segment;
      if (!whole.end) continue;
      EXPECT_EQ(whole.end->state.load.tokens_per_second, cheap.end->state.load.tokens_per_second);
      const auto& shadow = whole.resources[kGpuHours].shadow;
      if (shadow) {
        EXPECT_NEAR(shadow_rebound(market).value(), *shadow, 1e-12);
      }
    }
  }
}

}  // namespace
}  // namespace dspark
