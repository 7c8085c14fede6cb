#include "sim/demand/uncertainty_study.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "policies/elementary.h"
#include "sim/demand/rebound.h"
#include "sim/random/random_key.h"

namespace dspark {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kNormal95 = 1.959963984540054;
constexpr double kFull = 1e-9;  // R within this of 1 is the whole saving, not more

enum Matrix : std::uint32_t { kA, kB };

/// A row of the design; the column `mixed` of A is taken from B.
class Design {
 public:
  Design(std::size_t values, std::uint64_t seed) : values_(values), key_(make_random_key(seed, 0)) {}

  std::vector<double> row(Matrix matrix, std::size_t draw, std::optional<std::size_t> mixed = {}) const {
    std::vector<double> uniforms(values_);
    for (std::size_t i = 0; i < values_; ++i) {
      const auto words =
          draw_words(key_, Stream::kUncertainDraw, static_cast<std::uint32_t>(i),
                     static_cast<std::uint32_t>(draw), static_cast<std::uint32_t>(mixed == i ? kB : matrix));
      uniforms[i] = uniform_from_bits(words[0]);
    }
    return uniforms;
  }

 private:
  std::size_t values_;
  RandomKey key_;
};

std::optional<Band> band_of(const std::vector<MarketOutcome>& outcomes, MarketOutput output) {
  std::vector<double> values;
  for (const MarketOutcome& outcome : outcomes) {
    if (std::isfinite(outcome.values[output])) values.push_back(outcome.values[output]);
  }
  if (values.empty()) return std::nullopt;
  Band band;
  band.draws = values.size();
  for (const double value : values) band.mean += value / static_cast<double>(values.size());
  std::sort(values.begin(), values.end());
  double* const quantiles[] = {&band.p05, &band.p50, &band.p95};
  const double shares[] = {0.05, 0.5, 0.95};
  for (std::size_t i = 0; i < 3; ++i) {
    const double error =
        kNormal95 * std::sqrt(shares[i] * (1 - shares[i]) / static_cast<double>(values.size()));
    *quantiles[i] = sorted_quantile(values, shares[i]);
    band.intervals[i] = {sorted_quantile(values, std::max(0.0, shares[i] - error)),
                         sorted_quantile(values, std::min(1.0, shares[i] + error))};
  }
  return band;
}

void fill_shares(const std::vector<MarketOutcome>& outcomes, UncertaintyReport& report) {
  std::array<std::size_t, kEndings> endings{};
  std::size_t with_rebound = 0, backfire = 0;
  for (const MarketOutcome& outcome : outcomes) {
    ++endings[static_cast<std::size_t>(outcome.ending)];
    if (outcome.ending == Ending::kRefused) ++report.refusals[outcome.refusal];
    if (!std::isfinite(outcome.values[kReboundR])) continue;
    ++with_rebound;
    if (outcome.values[kReboundR] > 1 + kFull) ++backfire;
  }
  for (std::size_t i = 0; i < kEndings; ++i) report.endings[i] = share_of(endings[i], outcomes.size());
  report.without_rebound = share_of(outcomes.size() - with_rebound, outcomes.size());
  if (with_rebound > 0) report.backfire = share_of(backfire, with_rebound);
}

void fill_indices(const Design& design, const DrawnMarket& market, const std::vector<MarketOutcome>& at_a,
                  std::size_t values, const ForEachIndex& for_each, UncertaintyReport& report) {
  const std::size_t draws = at_a.size();
  std::array<SaltelliSample, 2> samples;  // of R, of GPU-hours
  const MarketOutput outputs[] = {kReboundR, kGpuHoursRatio};
  for (std::size_t k = 0; k < 2; ++k) {
    for (const MarketOutcome& outcome : at_a) samples[k].at_a.push_back(outcome.values[outputs[k]]);
    samples[k].at_b.assign(draws, kNone);
    samples[k].at_mixed.assign(values, std::vector<double>(draws, kNone));
  }
  for_each(draws, [&](std::size_t draw) {
    const OutputValues at_b = market(design.row(kB, draw), false).values;
    for (std::size_t k = 0; k < 2; ++k) samples[k].at_b[draw] = at_b[outputs[k]];
    for (std::size_t i = 0; i < values; ++i) {
      const OutputValues mixed = market(design.row(kA, draw, i), false).values;
      for (std::size_t k = 0; k < 2; ++k) samples[k].at_mixed[i][draw] = mixed[outputs[k]];
    }
  });
  report.rebound = sobol_indices(samples[0], report.seed, &report.rebound_rows);
  report.gpu_hours = sobol_indices(samples[1], report.seed, &report.gpu_hours_rows);
}

}  // namespace

MarketOutcome market_outcome(const Market& market, bool all) {
  MarketOutcome outcome;
  outcome.values.fill(kNone);
  const ReboundReport report = settle_market(market, {.equilibria = false, .surplus = all});
  outcome.ending = !report.end              ? Ending::kNoEquilibrium
                   : report.turned_away > 0 ? Ending::kOnLimit
                   : report.on_branch       ? Ending::kOnBranch
                                            : Ending::kElsewhere;
  if (!report.end) return outcome;
  const ResourceRebound& gpus = report.resources[kGpuHours];
  OutputValues& v = outcome.values;
  v[kReboundR] = gpus.rebound.value_or(kNone);
  if (gpus.rebound && market.after->chips_are_fixed()) v[kReboundR] = shadow_rebound(market).value_or(kNone);
  v[kGpuHoursRatio] = gpus.ratio;
  v[kPriceLevel] = report.end->state.price;
  v[kTokensRatio] = report.tokens_ratio;
  v[kUserSpeedLevel] = report.end->state.point.user_speed;
  if (!all) return outcome;
  v[kSurplusChange] = report.surplus_per_hour;
  if (!gpus.rebound) return outcome;
  if (const auto multiple = break_even_multiple(market)) v[kBreakEven] = *multiple * report.price_elasticity;
  return outcome;
}

MarketOutcome refused_outcome(const Errors& errors) {
  MarketOutcome outcome;
  outcome.values.fill(kNone);
  if (!errors.empty()) outcome.refusal = errors.front().message;
  return outcome;
}

Share share_of(std::size_t count, std::size_t of) {
  Share share;
  share.count = count;
  share.of = of;
  if (of == 0) return share;
  const double n = static_cast<double>(of), p = static_cast<double>(count) / n, z = kNormal95;
  const double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  share.value = p;
  share.standard_error = std::sqrt(p * (1 - p) / n);
  share.low = count == 0 ? 0 : middle - half;
  share.high = count == of ? 1 : middle + half;
  return share;
}

UncertaintyReport study_uncertainty(std::size_t values, const DrawnMarket& market, std::size_t draws,
                                    std::uint64_t seed, const ForEachIndex& for_each) {
  UncertaintyReport report;
  report.draws = draws;
  report.seed = seed;
  const Design design(values, seed);
  std::vector<double> medians(values, 0.5);
  report.at_medians = market(medians, true);
  std::vector<MarketOutcome> outcomes(draws);
  for_each(draws, [&](std::size_t draw) { outcomes[draw] = market(design.row(kA, draw), true); });
  for (std::size_t i = 0; i < kOutputs; ++i)
    report.bands[i] = band_of(outcomes, static_cast<MarketOutput>(i));
  fill_shares(outcomes, report);
  fill_indices(design, market, outcomes, values, for_each, report);
  for (std::size_t i = 0; i < values; ++i) {
    std::vector<double> low = medians, high = medians;
    low[i] = 0.05, high[i] = 0.95;
    report.tornado.push_back({market(low, true), market(high, true)});
  }
  return report;
}

}  // namespace dspark
