#include "experiments/results/baseline_speed.h"

#include <algorithm>
#include <cmath>

namespace dspark {
namespace {

bool has_column(const Table& table, const std::string& name) {
  return std::any_of(table.columns.begin(), table.columns.end(),
                     [&](const Column& column) { return column.name == name; });
}

}  // namespace

std::optional<BaselineSpeed> BaselineSpeed::of(const ResultFile& file) {
  const Table& recordings = file.table("recordings");
  // Results of earlier versions have none.
  if (!has_column(recordings, "baseline_before_seconds")) return std::nullopt;
  BaselineSpeed speed;
  std::vector<double> all;
  for (std::size_t row = 0; row < recordings.rows(); ++row) {
    const Run run{static_cast<std::size_t>(recordings.integers("point")[row]),
                  static_cast<std::size_t>(recordings.integers("replication")[row]),
                  recordings.numbers("baseline_before_seconds")[row],
                  recordings.numbers("baseline_after_seconds")[row]};
    if (!(run.before > 0 && run.after > 0)) continue;
    speed.runs_.push_back(run);
    all.insert(all.end(), {run.before, run.after});
  }
  if (all.empty()) return std::nullopt;
  std::sort(all.begin(), all.end());
  speed.median_ = (all[all.size() / 2 - 1] + all[all.size() / 2]) / 2;  // two for each run
  speed.least_ = all.front();
  speed.most_ = all.back();
  return speed;
}

std::vector<BaselineSpeed::Run> BaselineSpeed::unsteady(double share) const {
  std::vector<Run> found;
  const auto is_off = [&](double seconds) { return std::fabs(seconds / median_ - 1) > share; };
  std::copy_if(runs_.begin(), runs_.end(), std::back_inserter(found),
               [&](const Run& run) { return is_off(run.before) || is_off(run.after); });
  return found;
}

}  // namespace dspark
