#include "experiments/results/policy_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "experiments/results/comparisons.h"
#include "experiments/results/replicated_values.h"
#include "policies/nearest_name.h"

namespace dspark {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

template <class T>
std::size_t place(std::vector<T>& known, const T& value) {
  const auto at = std::find(known.begin(), known.end(), value);
  if (at != known.end()) return static_cast<std::size_t>(at - known.begin());
  known.push_back(value);
  return known.size() - 1;
}

/// Mean of (point - baseline) over that of (oracle - baseline), in the replications that measured all three.
double share_of_gain(const ReplicatedValues& values, std::size_t point, std::size_t baseline,
                     std::size_t oracle) {
  double gained = 0;
  double possible = 0;
  for (std::size_t r = 0; r < values.replications(); ++r) {
    const double gain = values.at(point, r) - values.at(baseline, r);
    const double most = values.at(oracle, r) - values.at(baseline, r);
    if (std::isnan(gain) || std::isnan(most)) continue;
    gained += gain;
    possible += most;
  }
  return possible > 0 ? gained / possible : kNone;
}

/// What the result ranks policies by.
std::string usual_metric(const ResultFile& file) {
  const Texts& ranked = file.table("crossovers").texts("metric");
  return ranked.empty() ? "throughput" : ranked.front();
}

void read_points(const ResultFile& file, PolicyComparison& comparison) {
  const Table& points = file.table("points");
  std::vector<Texts> values;
  for (const Column& column : points.columns) {
    if (column.name == "point" || column.name == "policy_lossless" || is_policy_axis(column.name)) continue;
    comparison.axes.push_back(column.name);
    values.push_back(column.as_texts());
  }
  for (std::size_t point = 0; point < points.rows(); ++point) {
    Texts setting;
    for (const Texts& axis : values) setting.push_back(axis[point]);
    ComparedPolicy row;
    row.point = point;
    row.setting = place(comparison.settings, setting);
    row.policy = place(comparison.policies, points.texts("policy")[point]);
    row.lossless = points.integers("policy_lossless")[point] != 0;
    comparison.rows.push_back(row);
  }
}

/// `tetris` of `tetris:3` and of `{tetris: {draft: 6}}`.
std::string name_of(const std::string& policy) {
  const std::size_t begin = policy.starts_with('{') ? 1 : 0;
  return policy.substr(begin, policy.find(':', begin) - begin);
}

/// The policy as written that was asked for; empty where none fits, or several do.
std::string chosen_baseline(const std::vector<std::string>& policies, const std::string& wanted) {
  const auto written = std::find(policies.begin(), policies.end(), wanted.empty() ? "none" : wanted);
  if (written != policies.end()) return *written;
  if (wanted.empty()) return policies.empty() ? std::string() : policies.front();
  const auto has_name = [&](const std::string& policy) { return name_of(policy) == wanted; };
  if (std::count_if(policies.begin(), policies.end(), has_name) != 1) return {};
  return *std::find_if(policies.begin(), policies.end(), has_name);
}

/// The first row of a policy under a setting, or nullptr.
const ComparedPolicy* find(const PolicyComparison& comparison, std::size_t setting,
                           const std::string& policy) {
  for (const ComparedPolicy& row : comparison.rows) {
    if (row.setting == setting && comparison.policies[row.policy] == policy) return &row;
  }
  return nullptr;
}

void compare_with_baseline(const ReplicatedValues& values, PolicyComparison& comparison) {
  std::vector<double> p_values;
  for (ComparedPolicy& row : comparison.rows) {
    row.mean = values.mean(row.point);
    row.difference = interval_of({});
    row.p_value = kNone;
    const ComparedPolicy* base = find(comparison, row.setting, comparison.baseline);
    row.is_baseline = base == &row;
    if (base != nullptr && !row.is_baseline) {
      const std::vector<double> differences = values.relative_differences(row.point, values, base->point);
      row.difference = interval_of(differences);
      row.p_value = paired_t_p_value(differences);
    }
    p_values.push_back(row.p_value);
    comparison.family += std::isnan(row.p_value) ? 0 : 1;
  }
  const std::vector<double> adjusted = holm_adjusted(p_values);
  for (std::size_t i = 0; i < adjusted.size(); ++i) {
    comparison.rows[i].p_adjusted = adjusted[i];
    comparison.rows[i].significant = adjusted[i] <= kSignificanceLevel;
  }
}

void add_shares(const ReplicatedValues& values, PolicyComparison& comparison) {
  for (ComparedPolicy& row : comparison.rows) {
    row.share_of_oracle_gain = kNone;
    if (row.is_baseline || !more_is_better(comparison.metric)) continue;
    const ComparedPolicy* base = find(comparison, row.setting, comparison.baseline);
    const ComparedPolicy* oracle = find(comparison, row.setting, "oracle");
    // One replication has no interval: its gain counts as it is.
    if (base == nullptr || oracle == nullptr || oracle->difference.low <= 0) continue;
    row.share_of_oracle_gain = share_of_gain(values, row.point, base->point, oracle->point);
  }
}

}  // namespace

Result<PolicyComparison> compare_policies(const ResultFile& file, const std::string& metric,
                                          const std::string& baseline) {
  PolicyComparison comparison;
  comparison.metric = metric.empty() ? usual_metric(file) : metric;
  const Table& catalogue = file.table("metric_catalogue");
  const Texts& metrics = catalogue.texts("metric");
  const auto known = std::find(metrics.begin(), metrics.end(), comparison.metric);
  if (known == metrics.end()) {
    return Error{fmt::format("the result has no metric '{}'", comparison.metric),
                 {},
                 known_names_advice(comparison.metric, metrics)};
  }
  comparison.unit = catalogue.texts("unit")[static_cast<std::size_t>(known - metrics.begin())];
  read_points(file, comparison);
  comparison.baseline = chosen_baseline(comparison.policies, baseline);
  if (comparison.baseline.empty()) {
    return Error{fmt::format("the result has no policy '{}', or several of that name", baseline),
                 {},
                 known_names_advice(baseline, comparison.policies)};
  }
  const ReplicatedValues values(file, comparison.metric);
  const ReplicatedValues wasted(file, "wasted_per_output_token");
  compare_with_baseline(values, comparison);
  add_shares(values, comparison);
  for (ComparedPolicy& row : comparison.rows) row.wasted_per_output_token = wasted.mean(row.point);
  return comparison;
}

Table comparison_table(const PolicyComparison& comparison) {
  Texts policy, baseline;
  std::vector<Texts> settings(comparison.axes.size());
  Texts metric, unit;
  Integers n, significant, lossless;
  Numbers mean, difference, low, high, p, p_adjusted, share, wasted;
  for (const ComparedPolicy& row : comparison.rows) {
    policy.push_back(comparison.policies[row.policy]);
    for (std::size_t axis = 0; axis < settings.size(); ++axis) {
      settings[axis].push_back(comparison.settings[row.setting][axis]);
    }
    metric.push_back(comparison.metric);
    unit.push_back(comparison.unit);
    mean.push_back(row.mean);
    baseline.push_back(comparison.baseline);
    difference.push_back(row.difference.mean);
    low.push_back(row.difference.low);
    high.push_back(row.difference.high);
    n.push_back(row.difference.n);
    p.push_back(row.p_value);
    p_adjusted.push_back(row.p_adjusted);
    significant.push_back(row.significant ? 1 : 0);
    share.push_back(row.share_of_oracle_gain);
    wasted.push_back(row.wasted_per_output_token);
    lossless.push_back(row.lossless ? 1 : 0);
  }
  Table table{"policies",
              "all policies against one of them, within each replication",
              false,
              {{"policy", "", "as written in the YAML", std::move(policy)}}};
  for (std::size_t axis = 0; axis < settings.size(); ++axis) {
    table.columns.push_back({comparison.axes[axis], "", "axis of the sweep", std::move(settings[axis])});
  }
  const auto add = [&table](const char* name, const char* column_unit, const char* meaning, auto values) {
    table.columns.push_back({name, column_unit, meaning, std::move(values)});
  };
  add("metric", "", "name, see /metric_catalogue", std::move(metric));
  add("unit", "", "of mean", std::move(unit));
  add("mean", "as the metric", "mean over replications", std::move(mean));
  add("baseline", "", "the policy it is compared with", std::move(baseline));
  add("difference", "1", "mean of policy / baseline - 1 within each replication", std::move(difference));
  add("difference_low", "1", "lower end of the 95 % interval", std::move(low));
  add("difference_high", "1", "upper end of the 95 % interval", std::move(high));
  add("n", "1", "replications in which both were measured", std::move(n));
  add("p", "1", "paired t test, two-sided", std::move(p));
  add("p_holm", "1", "adjusted by Holm's step-down over all comparisons of the table", std::move(p_adjusted));
  add("significant", "1", "1 where p_holm <= 0.05", std::move(significant));
  add("share_of_oracle_gain", "1", "(policy - baseline) / (oracle - baseline), of means", std::move(share));
  add("wasted_per_output_token", "1", "verified and rejected draft tokens per output token",
      std::move(wasted));
  add("lossless", "1", "1 where the output distribution is unchanged", std::move(lossless));
  return table;
}

bool more_is_better(const std::string& metric) {
  return metric == "throughput" || metric == "user_speed_mean" || metric == "accepted_length" ||
         metric == "goodput";
}

}  // namespace dspark
