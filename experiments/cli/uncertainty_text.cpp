#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "experiments/cli/text_table.h"
#include "experiments/cli/uncertainty_report.h"

namespace dspark {
namespace {

constexpr std::size_t kWidth = 140;
constexpr const char* kOutputNames[] = {"rebound R",
                                        "GPU-hours, after over before",
                                        "price, $ per million weighted tokens",
                                        "weighted tokens, after over before",
                                        "user speed, tokens/s",
                                        "change of consumers' surplus, $ per hour",
                                        "break-even price elasticity"};
constexpr const char* kEndingNames[] = {
    "in the equilibrium followed from the baseline", "in another equilibrium: that one cannot be followed",
    "on a limit: the GPUs are full, requests are turned away", "without an equilibrium: no R",
    "refused: the numbers drawn are no market"};

std::string four(double value) { return std::isfinite(value) ? fmt::format("{:.4f}", value) : "-"; }
std::string number_or_dash(double value) { return std::isfinite(value) ? number(value) : "-"; }

std::string share_text(const Share& share) {
  return fmt::format("{:.4f} ({:.4f} to {:.4f})", share.value, share.low, share.high);
}

std::string value_text(const UncertainKey& key, double u) {
  const Value value = key.value.at(u);
  return value.scalar() ? *value.scalar() : "{...}";
}
std::string number_of(const UncertainKey& key, double u) {
  return key.value.is_number() ? number(key.value.quantile(u)) : value_text(key, u);
}

std::string values_text(const UncertainMarket& market) {
  std::vector<Row> rows = {{"uncertain value", "5 %", "median", "95 %"}};
  std::string cuts;
  for (const UncertainKey& key : market.keys) {
    rows.push_back({"  " + key.name, number_of(key, 0.05), number_of(key, 0.5), number_of(key, 0.95)});
    if (key.cut_off > 0) {
      cuts += fmt::format("  {}: cut to {} .. {}, {:.2g} % of the distribution; the rest is scaled to 1\n",
                          key.name, number_text(key.value.least()), number_text(key.value.most()),
                          100 * key.cut_off);
    }
  }
  return aligned(rows, 1, kWidth) + cuts;
}

std::string bands_text(const UncertaintyReport& report) {
  std::vector<Row> rows = {{"", "5 %", "50 %", "95 %", "mean", "at the medians"}};
  bool partly = false;
  for (std::size_t i = 0; i < kOutputs; ++i) {
    const double at_medians = report.at_medians.values[i];
    const bool price = i == kPriceLevel || i == kUserSpeedLevel || i == kSurplusChange;
    const auto text = [&](double value) { return price ? number_or_dash(value) : four(value); };
    const auto& band = report.bands[i];
    if (!band) {
      rows.push_back({kOutputNames[i], "-", "-", "-", "-", text(at_medians)});
      continue;
    }
    std::string name = kOutputNames[i];
    if (band->draws < report.draws) {
      name += fmt::format(" [{} draws]", band->draws);
      partly = true;
    }
    rows.push_back(
        {name, text(band->p05), text(band->p50), text(band->p95), text(band->mean), text(at_medians)});
  }
  std::string text = aligned(rows, 1, kWidth);
  const double n = static_cast<double>(report.draws);
  text += fmt::format(
      "The share of draws below a 5 % or 95 % end has a standard error of {:.2f} %, below the middle of "
      "{:.2f} "
      "%.\n",
      100 * std::sqrt(0.05 * 0.95 / n), 100 * std::sqrt(0.25 / n));
  if (partly) text += "[n draws]: only so many have this number.\n";
  return text;
}

std::string endings_text(const UncertaintyReport& report) {
  std::string text = "Where the draws end (95 % intervals):\n";
  for (std::size_t i = 0; i < kEndings; ++i) {
    if (report.endings[i].count > 0 || i == 0)
      text += fmt::format("  {} {}\n", share_text(report.endings[i]), kEndingNames[i]);
  }
  std::size_t shown = 0;
  for (const auto& [why, count] : report.refusals) {
    if (++shown > 5) break;
    text += fmt::format("    {} draws: {}\n", count, why);
  }
  if (report.backfire) {
    text += fmt::format("Backfire (R > 1): {} of the draws with an R", share_text(*report.backfire));
    text += report.without_rebound.count > 0
                ? fmt::format("; {} of {} draws have none and count as neither.\n",
                              report.without_rebound.count, report.draws)
                : ".\n";
  } else {
    text += "No draw has an R.\n";
  }
  return text;
}

std::string index_text(const BootstrappedIndex& index) {
  return fmt::format("{:.3f} ({:.3f} to {:.3f})", index.value, index.low, index.high);
}

std::string indices_text(const UncertainMarket& market, const UncertaintyReport& report) {
  std::vector<Row> rows = {{"", "first, of R", "total, of R", "first, of GPU-hours", "total, of GPU-hours"}};
  for (std::size_t i = 0; i < market.keys.size(); ++i) {
    rows.push_back({"  " + market.keys[i].name, index_text(report.rebound[i].first),
                    index_text(report.rebound[i].total), index_text(report.gpu_hours[i].first),
                    index_text(report.gpu_hours[i].total)});
  }
  std::string text =
      "Which part of the variance is due to which value (Sobol' indices, 95 % bootstrap intervals):\n" +
      aligned(rows, 1, kWidth);
  if (report.rebound_rows < report.draws) {
    text += fmt::format("Of R from {} of {} rows, those with an R at all their points.\n",
                        report.rebound_rows, report.draws);
  }
  return text;
}

std::string tornado_text(const UncertainMarket& market, const UncertaintyReport& report) {
  std::vector<std::size_t> order(market.keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto width = [&](std::size_t i) {
    const double w =
        std::abs(report.tornado[i].at_high.values[kReboundR] - report.tornado[i].at_low.values[kReboundR]);
    return std::isfinite(w) ? w : -1;
  };
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return width(a) > width(b); });
  std::vector<Row> rows = {{"", "R at 5 %", "at 95 %", "GPU-hours at 5 %", "at 95 %"}};
  for (const std::size_t i : order) {
    const OutputValues& low = report.tornado[i].at_low.values;
    const OutputValues& high = report.tornado[i].at_high.values;
    rows.push_back({"  " + market.keys[i].name, four(low[kReboundR]), four(high[kReboundR]),
                    four(low[kGpuHoursRatio]), four(high[kGpuHoursRatio])});
  }
  return "One value at its 5 % and 95 %, the others at their medians (tornado; GPU-hours after over "
         "before):\n" +
         aligned(rows, 1, kWidth);
}

}  // namespace

std::string deciding_assumption(const UncertainMarket& market, const UncertaintyReport& report) {
  std::vector<std::size_t> order(market.keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const bool of_rebound = std::any_of(report.rebound.begin(), report.rebound.end(),
                                      [](const auto& i) { return i.total.value > 0; });
  const auto& indices = of_rebound ? report.rebound : report.gpu_hours;
  const char* what = of_rebound ? "R" : "the GPU-hours";
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return indices[a].total.value > indices[b].total.value; });
  const auto part = [&](std::size_t i) { return 100 * indices[order[i]].total.value; };
  if (!(part(0) > 0)) return "No assumption decides the answer: it is the same in every draw.";
  std::string text = fmt::format("{} decides the answer: {:.0f} % of the variance of {} involves it",
                                 market.keys[order[0]].name, part(0), what);
  if (order.size() == 1) return text + ", the only uncertain value.";
  const BootstrappedIndex& first = indices[order[0]].total;
  const BootstrappedIndex& second = indices[order[1]].total;
  if (second.high >= first.low) {
    return fmt::format(
        "{} and {} decide the answer, and these draws do not say which more: {:.0f} % and {:.0f} "
        "% of the variance of {} involve them.",
        market.keys[order[0]].name, market.keys[order[1]].name, part(0), part(1), what);
  }
  return text + fmt::format(", {:.0f} % the next, {}.", part(1), market.keys[order[1]].name);
}

std::string medians_text(const UncertainMarket& market) {
  if (market.keys.empty()) return {};
  std::string text = fmt::format(
      "\n{} uncertain, solved at the medians (--draws 10000 for bands and what decides the answer):\n",
      market.keys.size() == 1 ? "One number is" : fmt::format("{} numbers are", market.keys.size()));
  for (const UncertainKey& key : market.keys) text += fmt::format("  {} {}\n", key.name, number_of(key, 0.5));
  return text;
}

std::string uncertainty_text(const UncertainMarket& market, const UncertaintyReport& report) {
  const std::string& title = market.at_medians.title;
  std::string text = title.empty() ? std::string() : title + "\n\n";
  text +=
      fmt::format("{} independent draws, seed {}\n", report.draws, report.seed) + values_text(market) + "\n";
  text += bands_text(report) + "\n" + endings_text(report) + "\n";
  text += indices_text(market, report) + "\n" + tornado_text(market, report) + "\n";
  if (market.at_medians.after->chips_are_fixed())
    text += "Chips are fixed: R is the shadow R, of the chips that would hold the waiting.\n";
  return text + deciding_assumption(market, report) + "\n";
}

}  // namespace dspark
