#include "experiments/results/replicated_values.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "experiments/results/statistics.h"

namespace dspark {

ReplicatedValues::ReplicatedValues(const ResultFile& file, const std::string& metric)
    : replications_(static_cast<std::size_t>(std::max<std::int64_t>(file.integer("replications"), 0))),
      values_(file.table("points").rows() * replications_, std::numeric_limits<double>::quiet_NaN()) {
  const Table& table = file.table("replications");
  const Texts& names = table.texts("metric");
  for (std::size_t row = 0; row < names.size(); ++row) {
    if (names[row] != metric) continue;
    const auto at = static_cast<std::size_t>(table.integers("point")[row]) * replications_ +
                    static_cast<std::size_t>(table.integers("replication")[row]);
    if (at < values_.size()) values_[at] = table.numbers("value")[row];
  }
}

void ReplicatedValues::leave_out(std::span<const BaselineSpeed::Run> runs) {
  for (const BaselineSpeed::Run& run : runs) {
    const std::size_t at = run.point * replications_ + run.replication;
    if (run.replication < replications_ && at < values_.size())
      values_[at] = std::numeric_limits<double>::quiet_NaN();
  }
}

std::vector<double> ReplicatedValues::of(std::size_t point) const {
  std::vector<double> measured;
  for (std::size_t r = 0; r < replications_; ++r) {
    if (!std::isnan(at(point, r))) measured.push_back(at(point, r));
  }
  return measured;
}

double ReplicatedValues::mean(std::size_t point) const { return interval_of(of(point)).mean; }

std::vector<double> ReplicatedValues::relative_differences(std::size_t point,
                                                           const ReplicatedValues& baselines,
                                                           std::size_t baseline) const {
  std::vector<double> differences;
  for (std::size_t r = 0; r < std::min(replications_, baselines.replications_); ++r) {
    const double difference = at(point, r) / baselines.at(baseline, r) - 1;
    if (std::isfinite(difference)) differences.push_back(difference);
  }
  return differences;
}

}  // namespace dspark
