#include "sim/demand/growth/fleet.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace dspark {

Fleet::Fleet(const GrowthPlan& plan, double gpus) : plan_(&plan) {
  const int ages = std::max(1, plan.life_epochs);
  for (int i = 1; i <= ages; ++i) cohorts_.push_back({0, i - ages, gpus / ages});
  if (plan.life_epochs == 0) return;
  for (int i = 1; i < plan.lead_epochs; ++i) cohorts_.push_back({0, i, gpus / ages});
}

std::size_t Fleet::newest(int epoch) const {
  std::size_t newest = 0;
  for (std::size_t i = 1; i < plan_->generations.size(); ++i) {
    if (plan_->generations[i].from_years <= epoch * plan_->epoch_years + 1e-9) newest = i;
  }
  return newest;
}

bool Fleet::in_use(const Cohort& cohort, int epoch) const {
  return cohort.first_use <= epoch &&
         (plan_->life_epochs == 0 || epoch < cohort.first_use + plan_->life_epochs);
}

Fleet::Size Fleet::size_of(const Cohort& cohort) const {
  const Generation& generation = plan_->generations[cohort.generation];
  return {cohort.gpus, cohort.gpus * generation.gain, cohort.gpus * generation.dollars,
          cohort.gpus * generation.watts};
}

Fleet::Size Fleet::size(int epoch) const {
  Size sum;
  for (const Cohort& cohort : cohorts_) {
    if (!in_use(cohort, epoch)) continue;
    const Size one = size_of(cohort);
    sum.gpus += one.gpus;
    sum.equivalents += one.equivalents;
    sum.dollars += one.dollars;
    sum.watts += one.watts;
  }
  return sum;
}

void Fleet::order(int epoch, int first_use, double equivalents) {
  if (equivalents <= 0) return;
  const std::size_t generation = newest(epoch);
  cohorts_.push_back({generation, first_use, equivalents / plan_->generations[generation].gain});
}

double Fleet::room(int epoch, int first_use, double kilowatts_per_gpu) const {
  const Generation& generation = plan_->generations[newest(epoch)];
  const Size then = size(first_use);
  double gpus = std::numeric_limits<double>::infinity();
  if (plan_->most_gpus > 0) gpus = plan_->most_gpus - then.gpus;
  if (plan_->most_kilowatts > 0 && kilowatts_per_gpu > 0)
    gpus = std::min(gpus, (plan_->most_kilowatts / kilowatts_per_gpu - then.watts) / generation.watts);
  return std::max(0.0, gpus) * generation.gain;
}

void Fleet::release(int epoch, double equivalents) {
  double over = size(epoch).equivalents - equivalents;
  std::vector<std::size_t> order(cohorts_.size());
  std::iota(order.begin(), order.end(), 0);
  const auto per_dollar = [&](std::size_t i) {
    const Generation& generation = plan_->generations[cohorts_[i].generation];
    return generation.gain / generation.dollars;
  };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return per_dollar(a) != per_dollar(b) ? per_dollar(a) < per_dollar(b)
                                          : cohorts_[a].first_use < cohorts_[b].first_use;
  });
  for (const std::size_t i : order) {
    if (over <= 0) break;
    if (!in_use(cohorts_[i], epoch)) continue;
    const double gain = plan_->generations[cohorts_[i].generation].gain;
    const double given_back = std::min(cohorts_[i].gpus, over / gain);
    cohorts_[i].gpus -= given_back;
    over -= given_back * gain;
  }
  std::erase_if(cohorts_, [](const Cohort& cohort) { return cohort.gpus <= 0; });
}

}  // namespace dspark
