#include "sim/demand/rebound.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>

#include "sim/demand/power.h"
#include "sim/demand/shapley.h"

namespace dspark {
namespace {

constexpr double kNoSaving = 1e-9;  // of the baseline's use

/// What chips are counted for where their number is fixed.
std::optional<SupplyPoint> held_point(const Market& market) {
  if (!market.after->chips_are_fixed()) return std::nullopt;
  return market.baseline.point;
}

OperatingRule rule_of(const Market& market, bool quality) { return quality ? market.rule : OperatingRule{}; }

ResourceUse engineering_use(const Market& market) {
  return resource_use(market.after->sized(market.baseline.load, OperatingRule{}, market.baseline.point));
}

/// E(S) of one coalition on the branch continued from the baseline, or why it breaks.
struct Solved {
  ResourceUse use = {};
  std::string broken = {};
};

Solved solve(const Market& market, const DemandAnswers& answers, bool quality) {
  const DemandLoop loop(market, *market.after, rule_of(market, quality), answers, held_point(market));
  const Branch branch = follow_branch(loop);
  if (!branch.whole) return {{}, branch.reason};
  return {resource_use(branch.end.state.point), {}};
}

Solved solve_channels(const Market& market, std::size_t coalition) {
  const auto in = [&](Channel player) { return (coalition >> player & 1) != 0; };
  DemandAnswers answers;
  answers.channels = {in(kVolume), in(kIntensity), in(kNewApplications)};
  return solve(market, answers, in(kQualityTakeBack));
}

Solved solve_causes(const Market& market, std::size_t coalition) {
  DemandAnswers answers;
  answers.to_price = (coalition >> kPrice & 1) != 0;
  answers.to_latency = (coalition >> kLatency & 1) != 0;
  if (!answers.to_price && !answers.to_latency) answers.strength = 0;
  return solve(market, answers, (coalition >> kQuality & 1) != 0);
}

/// v(S) = (E(S) - E_eng)/(E0 - E_eng) of one resource.
template <std::size_t Size>
std::array<double, Size> worths(const std::array<ResourceUse, Size>& uses, std::size_t resource,
                                const ResourceRebound& r) {
  std::array<double, Size> worth{};
  for (std::size_t i = 0; i < Size; ++i)
    worth[i] = (uses[i][resource] - r.engineering) / (r.baseline - r.engineering);
  return worth;
}

void attribute(const Market& market, ReboundReport& report) {
  std::array<ResourceUse, 1u << kCauses> by_cause{};
  for (std::size_t i = 0; i < report.coalitions.size() + by_cause.size(); ++i) {
    const bool of_channels = i < report.coalitions.size();
    const std::size_t coalition = of_channels ? i : i - report.coalitions.size();
    const Solved solved = of_channels ? solve_channels(market, coalition) : solve_causes(market, coalition);
    if (!solved.broken.empty()) {
      report.not_attributed = "the equilibrium cannot be followed from the baseline: " + solved.broken;
      return;
    }
    (of_channels ? report.coalitions[coalition] : by_cause[coalition]) = solved.use;
  }
  report.attributed = true;
  report.of_shadow = market.after->chips_are_fixed();
  for (std::size_t k = 0; k < kResources; ++k) {
    ResourceRebound& r = report.resources[k];
    if (!r.rebound) continue;
    r.by_channel = shapley_values<kChannels>(worths(report.coalitions, k, r));
    r.by_cause = shapley_values<kCauses>(worths(by_cause, k, r));
    if (report.of_shadow) r.shadow = worths(report.coalitions, k, r).back();
  }
}

/// Sets `end` and what is turned away there. Without the list of all equilibria they are looked for only
/// where the branch breaks, and the end is the same.
void find_end(const Market& market, bool list_all, ReboundReport& report) {
  const DemandLoop loop(market, *market.after, market.rule, {});
  const Branch branch = follow_branch(loop);
  if (list_all || !branch.whole) report.equilibria = find_equilibria(loop);
  if (branch.whole) {
    report.end = branch.end;
    report.on_branch = true;
    return;
  }
  report.not_attributed = "the equilibrium cannot be followed from the baseline: " + branch.reason;
  const double from = market.baseline.load.tokens_per_second;
  const auto distance = [&](const FixedPoint& p) {
    return std::abs(log_portable(p.state.load.tokens_per_second / from));
  };
  for (const FixedPoint& point : report.equilibria.found) {
    if (!point.tips() && (!report.end || distance(point) < distance(*report.end))) report.end = point;
  }
  if (!report.end && report.equilibria.existence == Existence::kRationed) {
    const MarketState& limit = report.equilibria.at_limit;
    report.end = FixedPoint{limit, 0};
    report.turned_away = 1 - limit.load.tokens_per_second / limit.demand.tokens_per_second;
  }
}

/// A supply that buys what holds the waiting of a point, whatever limits its chips.
class WithoutLimit final : public Supply {
 public:
  WithoutLimit(const Supply& limited, const SupplyPoint& held) : limited_(&limited), held_(held) {}
  SupplyPoint serve(const ServedLoad& load, const OperatingRule& rule) const override {
    return limited_->unlimited(load, rule, held_);
  }
  SupplyPoint serve_on(double gpus, const ServedLoad& load, const OperatingRule& rule) const override {
    return limited_->serve_on(gpus, load, rule);
  }
  double largest_load_on(double gpus, const ServedLoad& typical, const OperatingRule& rule) const override {
    return limited_->largest_load_on(gpus, typical, rule);
  }

 private:
  const Supply* limited_;
  SupplyPoint held_;
};

void find_shadow_demand(const Market& market, ReboundReport& report) {
  if (!std::isfinite(market.after->largest_load(market.baseline.load, market.rule))) return;
  const WithoutLimit supply(*market.after, market.baseline.point);
  const Branch branch = follow_branch(DemandLoop(market, supply, market.rule, {}));
  if (branch.whole) report.shadow_tokens_per_second = branch.end.state.load.tokens_per_second;
}

void fill_resources(const Market& market, const MarketState& end, ReboundReport& report) {
  const ResourceUse before = resource_use(market.baseline.point), eng = engineering_use(market),
                    after = resource_use(end.point);
  const double error =
      2 * std::sqrt(2.0) * std::max(market.before->relative_error(), market.after->relative_error());
  for (std::size_t k = 0; k < kResources; ++k) {
    ResourceRebound& r = report.resources[k];
    r.baseline = before[k];
    r.engineering = eng[k];
    r.equilibrium = after[k];
    r.ratio = before[k] > 0 ? after[k] / before[k] : 1;
    if (std::abs(before[k] - eng[k]) > std::max(kNoSaving, error) * before[k])
      r.rebound = (after[k] - eng[k]) / (before[k] - eng[k]);
  }
  if (market.gain.gain == 1) {
    report.no_rebound = "gain 1 saves nothing, and there is no share of nothing";
  } else if (!report.resources[kGpuHours].rebound) {
    report.no_rebound = fmt::format("what gain {} saves is within the supply's error", market.gain.gain);
  }
  if (report.no_rebound.empty()) return;
  for (ResourceRebound& r : report.resources) r.rebound.reset();
}

void fill_prices(const Market& market, const MarketState& end, bool surplus, ReboundReport& report) {
  const MarketBaseline& base = market.baseline;
  report.tokens_ratio = end.load.tokens_per_second / base.load.tokens_per_second;
  report.requests_ratio = end.load.requests_per_second / base.load.requests_per_second;
  report.gpu_hours_per_request_ratio = end.point.gpus / base.point.gpus / report.requests_ratio;
  const double cost = end.point.cost_per_million_tokens, cost_before = base.point.cost_per_million_tokens;
  if (std::abs(cost / cost_before - 1) > 1e-9) {
    report.pass_through = log_portable(end.price / base.price) / log_portable(cost / cost_before);
    report.price_per_cost = (end.price - base.price) / (cost - cost_before);
  }
  if (surplus) report.surplus_per_hour = surplus_change(market, end);
}

}  // namespace

ResourceUse resource_use(const SupplyPoint& point) {
  return {point.gpus, point.dollars_per_hour, point.kilowatts};
}

std::optional<double> break_even_multiple(const Market& market) {
  constexpr double kMost = 64;
  const DemandLoop loop(market, *market.after, market.rule, {}, held_point(market));
  double x = log_portable(market.baseline.load.tokens_per_second);
  bool broken = false;
  // Above 0 where more GPU-hours are used than before.
  const auto over = [&](double multiple) {
    const Branch branch = nearest_equilibrium(loop.with_strength(multiple), x);
    broken = broken || !branch.whole;
    if (broken) return 1.0;
    x = log_portable(branch.end.state.load.tokens_per_second);
    return branch.end.state.point.gpus / market.baseline.point.gpus - 1;
  };
  double low = 0, at_low = over(0);
  if (broken || at_low > kNoSaving) return std::nullopt;
  if (at_low > -kNoSaving) return 0.0;
  for (double high = 0.05; high <= kMost; high *= 1.1) {
    const double at_high = over(high);
    if (broken) return std::nullopt;
    if (at_high >= 0) {
      std::uintmax_t most = 200;
      const auto [a, b] = boost::math::tools::toms748_solve(
          over, low, high, at_low, at_high, boost::math::tools::eps_tolerance<double>(45), most);
      return broken ? std::nullopt : std::optional(0.5 * (a + b));
    }
    low = high, at_low = at_high;
  }
  return std::nullopt;
}

ReboundReport settle_market(const Market& market, const Wanted& wanted) {
  ReboundReport report;
  report.price_elasticity = market.price_elasticity();
  find_end(market, wanted.equilibria, report);
  if (!report.end) {
    report.no_rebound = "there is no equilibrium to compare";
    return report;
  }
  fill_resources(market, report.end->state, report);
  fill_prices(market, report.end->state, wanted.surplus, report);
  return report;
}

std::optional<double> shadow_rebound(const Market& market) {
  if (!market.after->chips_are_fixed()) return std::nullopt;
  const double before = resource_use(market.baseline.point)[kGpuHours],
               engineering = engineering_use(market)[kGpuHours];
  const Solved solved = solve_channels(market, (1u << kChannels) - 1);
  if (!solved.broken.empty() || std::abs(before - engineering) <= kNoSaving * before) return std::nullopt;
  return (solved.use[kGpuHours] - engineering) / (before - engineering);
}

ReboundReport study_rebound(const Market& market) {
  ReboundReport report = settle_market(market, {});
  if (!report.end) return report;
  find_shadow_demand(market, report);
  if (!report.no_rebound.empty()) {
    report.not_attributed = "without R there is nothing to attribute";
    return report;
  }
  if (report.not_attributed.empty()) attribute(market, report);
  report.break_even_multiple = break_even_multiple(market);
  return report;
}

}  // namespace dspark
