#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "experiments/cli/equilibrium_report.h"
#include "experiments/cli/grow_report.h"
#include "experiments/cli/text_table.h"

namespace dspark {
namespace {

constexpr std::size_t kWidth = 124;
constexpr std::size_t kMostRows = 24;

/// At most kMostRows epochs, evenly spread, with the first and the last.
std::vector<std::size_t> shown(std::size_t epochs) {
  std::vector<std::size_t> indices;
  const std::size_t stride = (epochs + kMostRows - 1) / kMostRows;
  for (std::size_t i = 0; i < epochs; i += stride) indices.push_back(i);
  if (!indices.empty() && indices.back() + 1 < epochs) indices.push_back(epochs - 1);
  return indices;
}

std::string path_text(const GrowthReport& report) {
  std::vector<Row> rows = {{"year", "policy", "GPUs", "without it", "R", "busy", "kW", "$/h", "$/Mtoken",
                            "latency, s", "tokens/s", "without it", "lost"}};
  for (const std::size_t i : shown(report.with_policy.epochs.size())) {
    const EpochState& e = report.with_policy.epochs[i];
    const EpochState& without = report.without_policy.epochs[i];
    std::string rebound = "-";
    if (i < report.resources.size() && report.resources[i][kGpuHours].rebound)
      rebound = fmt::format("{:.3f}", *report.resources[i][kGpuHours].rebound);
    rows.push_back({fmt::format("{:.2f}", e.years), fmt::format("{:.0f} %", 100 * e.policy_share),
                    number(e.fleet.gpus), number(without.fleet.gpus), rebound,
                    fmt::format("{:.3f}", e.point.busy_share), number(e.point.kilowatts),
                    number(e.point.dollars_per_hour), number(e.price), number(e.latency_seconds),
                    number(e.load.tokens_per_second), number(without.load.tokens_per_second),
                    fmt::format("{:.1f} %", 100 * e.lost_tokens_per_second / e.demand.tokens_per_second)});
  }
  return aligned(rows, 1, kWidth);
}

std::string tokens_text(const GrowthReport& report) {
  const EpochState& last = report.with_policy.epochs.back();
  const EpochState& without = report.without_policy.epochs.back();
  static constexpr const char* kNames[] = {"growth of the segments", "more requests (volume)",
                                           "longer requests (intensity)", "new applications",
                                           "saturation, budgets"};
  std::vector<Row> rows = {{"weighted tokens/s", "with the policy", "without it"}};
  double then = last.demand.tokens_per_second;
  for (const double part : last.tokens_by_channel) then -= part;
  rows.push_back({"at the baseline", number(then), number(then)});
  for (std::size_t c = 0; c < kTokenChannels; ++c)
    rows.push_back({kNames[c], number(last.tokens_by_channel[c]), number(without.tokens_by_channel[c])});
  rows.push_back({"demanded in the last epoch", number(last.demand.tokens_per_second),
                  number(without.demand.tokens_per_second)});
  rows.push_back(
      {"turned away", number(-last.lost_tokens_per_second), number(-without.lost_tokens_per_second)});
  return aligned(rows, 1, kWidth);
}

std::string sums_text(const GrowthFile& file, const GrowthReport& report) {
  static constexpr const char* kNames[] = {"GPU-years", "$", "MWh"};
  const double hours = file.plan.epoch_years * 8766;
  const double units[] = {file.plan.epoch_years, hours, hours * 1e-3};
  std::vector<Row> rows = {
      {"over the whole path", "without the policy", "engineering alone", "with the policy", "ratio", "R"}};
  for (std::size_t k = 0; k < kResources; ++k) {
    const ResourceRebound& r = report.in_all[k];
    rows.push_back({kNames[k], number(r.baseline * units[k]), number(r.engineering * units[k]),
                    number(r.equilibrium * units[k]), fmt::format("{:.4f}", r.ratio),
                    r.rebound ? fmt::format("{:.4f}", *r.rebound) : "-"});
  }
  return aligned(rows, 1, kWidth);
}

/// How far the surface was off where epochs were simulated again.
std::string check_text(const char* servers, const std::vector<SimulatedEpoch>& epochs) {
  if (epochs.empty()) return {};
  const auto further = [](const SimulatedEpoch& a, const SimulatedEpoch& b) {
    return std::abs(a.user_speed.difference()) < std::abs(b.user_speed.difference());
  };
  const SimulatedEpoch& worst = *std::max_element(epochs.begin(), epochs.end(), further);
  return fmt::format(
      "Simulated again, {} epochs of servers {}: the surface's user speed is off by {:.2f} % at worst (epoch "
      "{}, at "
      "{:g} per replica: {:.4g} simulated, {:.4g} read off), {:.1f} standard errors.\n",
      epochs.size(), servers, 100 * std::abs(worst.user_speed.difference()), worst.epoch, worst.load,
      worst.user_speed.simulated, worst.user_speed.surface, std::abs(worst.user_speed.in_errors()));
}

}  // namespace

std::string grow_text(const GrowthFile& file, const GrowthReport& report, const GrowthCheck& check) {
  std::string text = file.market.title.empty() ? std::string() : file.market.title + "\n\n";
  if (!report.broken.empty()) text += "The path breaks off: " + report.broken + ".\n\n";
  if (!report.with_policy.epochs.empty()) text += path_text(report) + "\n" + tokens_text(report) + "\n";
  if (report.broken.empty()) text += sums_text(file, report) + "\n";
  text += check_text("without the policy", check.without_policy) + check_text("with it", check.with_policy);
  return text + assumptions_text(file.market, file.plan.assumptions);
}

}  // namespace dspark
