#include "experiments/results/difference_tables.h"

#include <fmt/format.h>

#include <limits>

#include "experiments/results/comparisons.h"

namespace dspark {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// A table whose columns are filled by name, row by row.
class Rows {
 public:
  Rows(const char* name, const char* description) { table_.name = name, table_.description = description; }

  void text(const std::string& column, const char* meaning, const std::string& value) {
    values<Texts>(column, "", meaning).push_back(value);
  }
  void number(const std::string& column, const char* unit, const char* meaning, double value) {
    values<Numbers>(column, unit, meaning).push_back(value);
  }
  void integer(const std::string& column, const char* unit, const char* meaning, std::int64_t value) {
    values<Integers>(column, unit, meaning).push_back(value);
  }
  Table take() { return std::move(table_); }

 private:
  template <class T>
  T& values(const std::string& column, const char* unit, const char* meaning) {
    for (Column& known : table_.columns) {
      if (known.name == column) return std::get<T>(known.values);
    }
    table_.columns.push_back({column, unit, meaning, T{}});
    return std::get<T>(table_.columns.back().values);
  }

  Table table_;
};

void add_point(Rows& rows, const ResultDifferences& differences, const ComparedPoint& point) {
  rows.text("policy_a", "A's policy as written", point.policy_a);
  rows.text("policy_b", "B's policy as written", point.policy_b);
  for (std::size_t axis = 0; axis < differences.axes.size(); ++axis)
    rows.text(differences.axes[axis], "axis of the sweep", differences.settings[point.setting][axis]);
}

void add_interval(Rows& rows, const std::string& name, const char* unit, const char* meaning,
                  const Interval& interval) {
  rows.number(name, unit, meaning, interval.mean);
  rows.number(name + "_low", unit, "lower end of its 95 % interval", interval.low);
  rows.number(name + "_high", unit, "upper end of its 95 % interval", interval.high);
}

/// All NaN where the metric is another one.
void add_shares(Rows& rows, const ThroughputShares& s, bool is_throughput) {
  const auto add = [&](const char* name, const char* meaning, double value) {
    rows.number(name, "1", meaning, is_throughput ? value : kNone);
  };
  add("log_error", "natural logarithm of A / B; the sum of the four that follow", s.total);
  add("log_step_time", "of seconds per step, with the sign of its effect", s.step_time);
  add("log_requests", "of requests that decode in a step", s.requests);
  add("log_tokens_per_request", "of tokens per such request and step", s.tokens_per_request);
  add("log_busy", "of the share of the time in which a step runs", s.busy);
}

}  // namespace

Table differences_table(const ResultDifferences& differences) {
  Rows rows("differences", "A against B, point by point");
  for (const Difference& row : differences.rows) {
    const ComparedPoint& point = differences.points[row.point];
    const ResultDifferences::Metric& metric = differences.metrics[row.metric];
    rows.integer("point_a", "1", "row of A's /points", static_cast<std::int64_t>(point.a));
    rows.integer("point_b", "1", "row of B's /points", static_cast<std::int64_t>(point.b));
    add_point(rows, differences, point);
    rows.text("metric", "name, see /metric_catalogue", metric.name);
    rows.text("unit", "of a and b", metric.unit);
    add_interval(rows, "a", "as the metric", "A's mean over replications", row.a);
    add_interval(rows, "b", "as the metric", "B's mean over replications", row.b);
    add_interval(rows, "error", "1", "A / B - 1", row.error);
    rows.integer("n", "1", "replications behind the error", row.error.n);
    rows.integer("within_replications", "1", "1 where differences are taken replication by replication",
                 point.within_replications ? 1 : 0);
    rows.text("inside", "whether A's mean lies in B's interval: yes, no, or empty without one",
              !row.is_inside   ? ""
              : *row.is_inside ? "yes"
                               : "no");
    rows.text("role", "fitted, predicted, or empty", name_of(point.role));
    add_shares(rows, differences.shares[row.point], metric.name == "throughput");
  }
  return rows.take();
}

Table error_summary_table(const ResultDifferences& differences) {
  Rows rows("summary", "|error| over points, by metric and role");
  for (const ErrorSummary& summary : differences.summaries) {
    rows.text("metric", "name", differences.metrics[summary.metric].name);
    rows.text("role", "of the points", name_of(summary.role));
    rows.integer("n", "1", "points", summary.n);
    rows.number("median", "1", "of |error|", summary.median);
    rows.number("worst", "1", "largest |error|", summary.worst);
    rows.text("worst_point", "where that is", point_words(differences, summary.worst_point));
    rows.number("bias", "1", "mean of the signed errors", summary.bias);
    rows.integer("inside", "1", "points whose mean in A lies in B's interval", summary.inside);
    rows.integer("with_interval", "1", "points that have an interval in B", summary.with_interval);
  }
  return rows.take();
}

Table rank_agreement_table(const ResultDifferences& differences) {
  Rows rows("ranking", "lossless policies of each setting, ranked by A and by B");
  for (const RankAgreement& ranking : differences.rankings) {
    for (std::size_t axis = 0; axis < differences.axes.size(); ++axis)
      rows.text(differences.axes[axis], "axis of the sweep", differences.settings[ranking.setting][axis]);
    rows.text("metric", "name", differences.metrics[ranking.metric].name);
    rows.text("best_a", "the best policy in A", differences.points[ranking.best_in_a].policy_b);
    rows.text("best_b", "the best policy in B", differences.points[ranking.best_in_b].policy_b);
    rows.integer("same_order", "1", "pairs of policies in the same order in both", ranking.same_order);
    rows.integer("pairs", "1", "pairs of policies that differ in both", ranking.pairs);
    add_interval(rows, "regret", "1", "what B loses with A's choice, as a share of B's best", ranking.regret);
  }
  return rows.take();
}

Table lone_points_table(const ResultDifferences& differences, const ResultFile& a, const ResultFile& b) {
  Rows rows("unpaired", "points without a partner");
  for (const LonePoint& lone : differences.lone) {
    const Table& points = (lone.is_of_a ? a : b).table("points");
    rows.text("file", "a or b", lone.is_of_a ? "a" : "b");
    rows.integer("point", "1", "row of its /points", static_cast<std::int64_t>(lone.point));
    std::string words;
    for (const Column& column : points.columns) {
      if (column.name == "point" || column.name == "policy_lossless") continue;
      if (column.name != "policy" && is_policy_axis(column.name)) continue;
      words += fmt::format("{}{}={}", words.empty() ? "" : ", ", column.name, column.as_texts()[lone.point]);
    }
    rows.text("values", "policy and axes", words);
    rows.integer("repeated", "1", "1 where an equal point before it is compared", lone.repeated ? 1 : 0);
  }
  return rows.take();
}

std::string setting_words(const ResultDifferences& differences, std::size_t setting) {
  std::string words;
  for (std::size_t axis = 0; axis < differences.axes.size(); ++axis) {
    const std::string& path = differences.axes[axis];
    const std::string last = path.substr(path.rfind('.') + 1);
    const std::string& value = differences.settings[setting][axis];
    words += words.empty() ? "" : ", ";
    words += last == "users" ? fmt::format("{} {}", value, value == "1" ? "user" : "users")
                             : fmt::format("{} {}", last, value);
  }
  return words;
}

std::string point_words(const ResultDifferences& differences, std::size_t point) {
  const ComparedPoint& of = differences.points[point];
  const std::string policy =
      of.policy_a == of.policy_b ? of.policy_a : of.policy_a + " against " + of.policy_b;
  const std::string setting = setting_words(differences, of.setting);
  return setting.empty() ? policy : policy + ", " + setting;
}

}  // namespace dspark
