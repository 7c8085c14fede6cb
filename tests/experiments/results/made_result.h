#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "experiments/results/result_file.h"

namespace dspark {

/// One point of a result made by hand: its values on the axes, and of each metric by replication (NaN: not
/// measured).
struct MadePoint {
  std::string policy;
  std::vector<std::string> axes;
  std::vector<std::pair<std::string, std::vector<double>>> metrics;
  bool lossless = true;
  bool measured = false;              // on a real machine
  std::vector<double> baseline = {};  // of a measured one: seconds of the baseline step, by replication
};

inline const std::string kUsers = "workload.arrivals.closed_loop.users";

/// Axes are stored as numbers where `numeric`.
inline ResultFile made_result(const std::vector<std::string>& axes, const std::vector<MadePoint>& points,
                              std::int64_t seed = 7, bool numeric = true) {
  Integers number, lossless, point, replication, recorded;
  Texts policy, metric, metrics;
  Numbers value, before, after;
  Integers recorded_replication;
  std::size_t replications = 0;
  for (const MadePoint& made : points) {
    number.push_back(static_cast<std::int64_t>(number.size()));
    policy.push_back(made.policy);
    lossless.push_back(made.lossless ? 1 : 0);
    if (made.measured && made.baseline.empty()) recorded.push_back(number.back());
    for (std::size_t r = 0; r < made.baseline.size(); ++r) {
      recorded.push_back(number.back());
      recorded_replication.push_back(static_cast<std::int64_t>(r));
      before.push_back(0.001);
      after.push_back(made.baseline[r]);
    }
    for (const auto& [name, values] : made.metrics) {
      if (std::find(metrics.begin(), metrics.end(), name) == metrics.end()) metrics.push_back(name);
      replications = std::max(replications, values.size());
      for (std::size_t r = 0; r < values.size(); ++r) {
        if (std::isnan(values[r])) continue;
        point.push_back(number.back());
        replication.push_back(static_cast<std::int64_t>(r));
        metric.push_back(name);
        value.push_back(values[r]);
      }
    }
  }
  ResultFile file;
  file.attributes = {{"seed", seed},
                     {"replications", static_cast<std::int64_t>(replications)},
                     {"load_axis", axes.empty() ? std::string() : axes.front()}};
  Table table{"points", "", true, {{"point", "1", "", number}, {"policy", "", "", policy}}};
  for (std::size_t axis = 0; axis < axes.size(); ++axis) {
    Column column{axes[axis], "", "", Texts{}};
    if (numeric) column.values = Numbers{};
    for (const MadePoint& made : points) {
      if (numeric)
        std::get<Numbers>(column.values).push_back(std::stod(made.axes[axis]));
      else
        std::get<Texts>(column.values).push_back(made.axes[axis]);
    }
    table.columns.push_back(std::move(column));
  }
  table.columns.push_back({"policy_lossless", "1", "", lossless});
  file.tables.push_back(std::move(table));
  file.tables.push_back({"metric_catalogue",
                         "",
                         true,
                         {{"metric", "", "", metrics}, {"unit", "", "", Texts(metrics.size(), "tokens/s")}}});
  file.tables.push_back({"replications",
                         "",
                         false,
                         {{"point", "1", "", point},
                          {"replication", "1", "", replication},
                          {"metric", "", "", metric},
                          {"value", "", "", value}}});
  file.tables.push_back({"recordings", "", false, {{"point", "1", "", recorded}}});
  if (!before.empty()) {
    auto& columns = file.tables.back().columns;
    columns.push_back({"replication", "1", "", recorded_replication});
    columns.push_back({"baseline_before_seconds", "s", "", before});
    columns.push_back({"baseline_after_seconds", "s", "", after});
  }
  return file;
}

}  // namespace dspark
