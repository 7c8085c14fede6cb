#include "experiments/results/comparisons.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace dspark {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view kArrivals = "workload.arrivals.";
constexpr std::string_view kTimeScale = ".time_scale";

/// Points that differ in their policy only, in order; the groups in the order of their first points.
std::vector<std::vector<std::size_t>> policy_groups(const Experiment& experiment) {
  std::vector<std::vector<std::size_t>> groups;
  std::map<std::vector<std::string>, std::size_t> known;
  for (std::size_t p = 0; p < experiment.points.size(); ++p) {
    std::vector<std::string> key;
    for (std::size_t axis = 0; axis < experiment.axes.size(); ++axis) {
      if (!is_policy_axis(experiment.axes[axis])) key.push_back(experiment.points[p].axis_texts[axis]);
    }
    const auto [at, is_new] = known.emplace(std::move(key), groups.size());
    if (is_new) groups.emplace_back();
    groups[at->second].push_back(p);
  }
  return groups;
}

bool is_load_path(std::string_view path) {
  if (!path.starts_with(kArrivals)) return false;
  return path.ends_with(".users") || path.ends_with(".rate") || path.ends_with(kTimeScale);
}

/// The value of the load axis.
double load_of(const Experiment& experiment, std::size_t point) {
  const int axis = load_axis(experiment);
  if (axis < 0) return kNone;
  return parse_number(experiment.points[point].axis_texts[static_cast<std::size_t>(axis)]).value_or(kNone);
}

/// Rises with load: a trace's time scale stretches the gaps between requests.
double load_rank(const Experiment& experiment, std::size_t point) {
  const int axis = load_axis(experiment);
  if (axis < 0) return 0;
  const bool falls = experiment.axes[static_cast<std::size_t>(axis)].ends_with(kTimeScale);
  return falls ? -load_of(experiment, point) : load_of(experiment, point);
}

/// The values of all axes but load and policy: crossovers are looked for among equals.
std::vector<std::string> context_of(const Experiment& experiment, std::size_t point) {
  std::vector<std::string> context;
  for (std::size_t axis = 0; axis < experiment.axes.size(); ++axis) {
    if (is_policy_axis(experiment.axes[axis]) || static_cast<int>(axis) == load_axis(experiment)) continue;
    context.push_back(experiment.points[point].axis_texts[axis]);
  }
  return context;
}

struct PairedColumns {
  Integers point, baseline, n;
  Texts metric;
  Numbers difference, difference_low, difference_high, ratio, ratio_low, ratio_high;

  void add(const MetricSamples& samples, std::size_t which, std::size_t p, std::size_t base) {
    const PairedComparison c = compare(samples, which, p, base);
    point.push_back(static_cast<std::int64_t>(p));
    baseline.push_back(static_cast<std::int64_t>(base));
    metric.push_back(samples.names()[which].name);
    difference.push_back(c.difference.mean);
    difference_low.push_back(c.difference.low);
    difference_high.push_back(c.difference.high);
    ratio.push_back(c.ratio.mean);
    ratio_low.push_back(c.ratio.low);
    ratio_high.push_back(c.ratio.high);
    n.push_back(c.difference.n);
  }
};

/// The policies of one group from the highest mean of the metric down; those without any are left out.
std::vector<std::pair<double, std::size_t>> ranking(const MetricSamples& samples, std::size_t metric,
                                                    const std::vector<std::size_t>& group) {
  std::vector<std::pair<double, std::size_t>> ranked;
  for (const std::size_t p : group) {
    if (const Interval interval = interval_of(samples.of(metric, p)); interval.n > 0)
      ranked.emplace_back(interval.mean, p);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  return ranked;
}

/// Without the policies that are bounds and not for serving, unless there are no others.
std::vector<std::size_t> competitors(const Experiment& experiment, const std::vector<std::size_t>& group) {
  std::vector<std::size_t> lossless;
  for (const std::size_t point : group) {
    if (experiment.points[point].scenario->policy_is_lossless()) lossless.push_back(point);
  }
  return lossless.empty() ? group : lossless;
}

class CrossoverColumns {
 public:
  Numbers load, value, margin, margin_low, margin_high;
  Integers best, runner_up, changed;
  Texts policy, metric, runner_up_policy;

  void add(const Experiment& experiment, const MetricSamples& samples, std::size_t by,
           const std::vector<std::pair<double, std::size_t>>& ranked) {
    const std::size_t first = ranked.front().second;
    load.push_back(load_of(experiment, first));
    best.push_back(static_cast<std::int64_t>(first));
    policy.push_back(experiment.points[first].policy);
    metric.push_back(samples.names()[by].name);
    value.push_back(ranked.front().first);
    const bool alone = ranked.size() < 2;
    runner_up.push_back(alone ? -1 : static_cast<std::int64_t>(ranked[1].second));
    runner_up_policy.push_back(alone ? std::string() : experiment.points[ranked[1].second].policy);
    const Interval ratio = alone ? interval_of({}) : compare(samples, by, first, ranked[1].second).ratio;
    margin.push_back(ratio.mean - 1);
    margin_low.push_back(ratio.low - 1);
    margin_high.push_back(ratio.high - 1);
    // A lead whose interval holds 0 is no lead: the last clear one stays. Without an interval any lead
    // counts.
    const std::size_t row = policy.size() - 1;
    if (row == 0 ||
        context_of(experiment, first) != context_of(experiment, static_cast<std::size_t>(best[row - 1]))) {
      leader_.clear();
    }
    const bool clear = !(margin_low[row] <= 0);
    changed.push_back(clear && !leader_.empty() && policy[row] != leader_ ? 1 : 0);
    if (clear) leader_ = policy[row];
  }

 private:
  std::string leader_;  // the last policy with a clear lead, among points that differ in policy and load only
};

}  // namespace

bool is_policy_axis(const std::string& path) { return path == "policy" || path.starts_with("policy."); }

bool is_numeric_axis(const Experiment& experiment, std::size_t axis) {
  return std::all_of(experiment.points.begin(), experiment.points.end(),
                     [&](const Point& point) { return parse_number(point.axis_texts[axis]).has_value(); });
}

int load_axis(const Experiment& experiment) {
  for (std::size_t axis = 0; axis < experiment.axes.size(); ++axis) {
    if (is_load_path(experiment.axes[axis]) && is_numeric_axis(experiment, axis))
      return static_cast<int>(axis);
  }
  return -1;
}

int figure_axis(const Experiment& experiment) {
  if (const int load = load_axis(experiment); load >= 0) return load;
  int first_numeric = -1;
  for (std::size_t axis = 0; axis < experiment.axes.size(); ++axis) {
    const std::string& path = experiment.axes[axis];
    if (is_policy_axis(path) || !is_numeric_axis(experiment, axis)) continue;
    if (path.starts_with(kArrivals)) return static_cast<int>(axis);
    if (first_numeric < 0) first_numeric = static_cast<int>(axis);
  }
  return first_numeric;
}

const char* ranked_metric(const Point& point) {
  const bool open =
      point.arrivals == "poisson" || point.arrivals == "gamma" || point.arrivals == "azure_trace";
  return open ? "user_speed_mean" : "throughput";
}

PairedComparison compare(const MetricSamples& samples, std::size_t metric, std::size_t point,
                         std::size_t baseline) {
  std::vector<double> differences;
  std::vector<double> ratios;
  for (std::size_t r = 0; r < samples.replications(); ++r) {
    const double a = samples.at(metric, point, r);
    const double b = samples.at(metric, baseline, r);
    if (std::isnan(a) || std::isnan(b)) continue;
    differences.push_back(a - b);
    if (std::isfinite(a / b)) ratios.push_back(a / b);
  }
  return {interval_of(differences), interval_of(ratios)};
}

Table paired_table(const Experiment& experiment, const MetricSamples& samples) {
  PairedColumns c;
  for (const auto& group : policy_groups(experiment)) {
    for (const char* name : {"throughput", "user_speed_mean"}) {
      const int metric = samples.index_of(name);
      if (metric < 0) continue;
      for (std::size_t i = 0; i < group.size(); ++i) {
        for (std::size_t j = i + 1; j < group.size(); ++j) {
          c.add(samples, static_cast<std::size_t>(metric), group[j], group[i]);
        }
      }
    }
  }
  const std::string low = "lower end of the 95 % interval";
  const std::string high = "upper end of the 95 % interval";
  return {"paired",
          "differences between policies on the same other axes, within each replication",
          false,
          {{"point", "1", "row of /points", std::move(c.point)},
           {"baseline", "1", "row of /points it is compared with", std::move(c.baseline)},
           {"metric", "", "name, see /metric_catalogue", std::move(c.metric)},
           {"difference", "as the metric", "mean of point - baseline", std::move(c.difference)},
           {"difference_low", "as the metric", low, std::move(c.difference_low)},
           {"difference_high", "as the metric", high, std::move(c.difference_high)},
           {"ratio", "1", "mean of point / baseline", std::move(c.ratio)},
           {"ratio_low", "1", low, std::move(c.ratio_low)},
           {"ratio_high", "1", high, std::move(c.ratio_high)},
           {"n", "1", "replications in which both were measured", std::move(c.n)}}};
}

Table crossovers_table(const Experiment& experiment, const MetricSamples& samples) {
  CrossoverColumns c;
  auto groups = policy_groups(experiment);
  std::map<std::vector<std::string>, std::size_t> contexts;  // numbered as they appear
  const auto place = [&](const std::vector<std::size_t>& group) {
    return std::pair(contexts.at(context_of(experiment, group.front())),
                     load_rank(experiment, group.front()));
  };
  for (const auto& group : groups) contexts.emplace(context_of(experiment, group.front()), contexts.size());
  std::stable_sort(groups.begin(), groups.end(),
                   [&](const auto& a, const auto& b) { return place(a) < place(b); });
  for (const auto& group : groups) {
    const int metric = samples.index_of(ranked_metric(experiment.points[group.front()]));
    if (metric < 0) continue;
    const auto ranked = ranking(samples, static_cast<std::size_t>(metric), competitors(experiment, group));
    if (!ranked.empty()) c.add(experiment, samples, static_cast<std::size_t>(metric), ranked);
  }
  return {
      "crossovers",
      "the lossless policy with the highest mean of a metric at each load, from low load to high",
      false,
      {{"load", "1", "value of the load axis", std::move(c.load)},
       {"best", "1", "row of /points with the highest mean", std::move(c.best)},
       {"policy", "", "its policy", std::move(c.policy)},
       {"metric", "", "what policies are ranked by: user_speed_mean where arrivals are open, else throughput",
        std::move(c.metric)},
       {"value", "tokens/s", "its mean of the metric", std::move(c.value)},
       {"runner_up", "1", "row of /points with the second highest; -1 if there is none",
        std::move(c.runner_up)},
       {"runner_up_policy", "", "its policy", std::move(c.runner_up_policy)},
       {"margin", "1", "mean of best / runner-up - 1 within each replication", std::move(c.margin)},
       {"margin_low", "1", "lower end of the 95 % interval", std::move(c.margin_low)},
       {"margin_high", "1", "upper end of the 95 % interval", std::move(c.margin_high)},
       {"changed", "1", "1 where another policy leads than at the last lower load with a clear lead",
        std::move(c.changed)}}};
}

}  // namespace dspark
