#include "sim/demand/growth/growth_report.h"

#include <cmath>

namespace dspark {
namespace {

constexpr double kNoSaving = 1e-6;  // of the baseline's use

void finish(ResourceRebound& r) {
  r.ratio = r.baseline > 0 ? r.equilibrium / r.baseline : 1;
  if (std::abs(r.baseline - r.engineering) > kNoSaving * r.baseline)
    r.rebound = (r.equilibrium - r.engineering) / (r.baseline - r.engineering);
}

void compare(GrowthReport& report) {
  for (std::size_t i = 0; i < report.with_policy.epochs.size(); ++i) {
    const ResourceUse before = resource_use(report.without_policy.epochs[i].point),
                      engineering = resource_use(report.engineering.epochs[i].point),
                      after = resource_use(report.with_policy.epochs[i].point);
    std::array<ResourceRebound, kResources> epoch{};
    for (std::size_t k = 0; k < kResources; ++k) {
      ResourceRebound& all = report.in_all[k];
      epoch[k].baseline = before[k], all.baseline += before[k];
      epoch[k].engineering = engineering[k], all.engineering += engineering[k];
      epoch[k].equilibrium = after[k], all.equilibrium += after[k];
      finish(epoch[k]);
    }
    report.resources.push_back(epoch);
  }
  for (ResourceRebound& r : report.in_all) finish(r);
}

}  // namespace

GrowthReport study_growth(Market& market, const GrowthPlan& plan) {
  GrowthReport report;
  report.without_policy = follow_growth(market, plan, false);
  if (!report.without_policy.broken.empty()) {
    report.broken = "without the policy, " + report.without_policy.broken;
    return report;
  }
  report.engineering = follow_growth(market, plan, true, &report.without_policy);
  report.with_policy = follow_growth(market, plan, true);
  if (!report.with_policy.broken.empty()) report.broken = report.with_policy.broken;
  if (!report.engineering.broken.empty()) report.broken = report.engineering.broken;
  if (report.broken.empty()) compare(report);
  return report;
}

}  // namespace dspark
