#include "experiments/results/result_differences.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "experiments/results/replicated_values.h"
#include "policies/elementary.h"
#include "policies/nearest_name.h"

namespace dspark {
namespace {

constexpr const char* kUsualMetrics[] = {"throughput", "user_speed_mean", "ttft_mean", "accepted_length"};

bool is_known(const ResultFile& file, const std::string& metric) {
  const Texts& known = file.table("metric_catalogue").texts("metric");
  return std::find(known.begin(), known.end(), metric) != known.end();
}

std::string unit_of(const ResultFile& file, const std::string& metric) {
  const Table& catalogue = file.table("metric_catalogue");
  const Texts& known = catalogue.texts("metric");
  return catalogue.texts(
      "unit")[static_cast<std::size_t>(std::find(known.begin(), known.end(), metric) - known.begin())];
}

Result<std::vector<ResultDifferences::Metric>> chosen_metrics(const ResultFile& a, const ResultFile& b,
                                                              const std::vector<std::string>& wanted) {
  std::vector<ResultDifferences::Metric> metrics;
  for (const std::string& name : wanted) {
    for (const auto& [file, letter] : {std::pair(&a, "A"), std::pair(&b, "B")}) {
      if (is_known(*file, name)) continue;
      return Error{fmt::format("{} has no metric '{}'", letter, name),
                   {},
                   known_names_advice(name, file->table("metric_catalogue").texts("metric"))};
    }
    metrics.push_back({name, unit_of(b, name)});
  }
  if (!wanted.empty()) return metrics;
  for (const char* name : kUsualMetrics) {
    if (is_known(a, name) && is_known(b, name)) metrics.push_back({name, unit_of(b, name)});
  }
  if (!metrics.empty()) return metrics;
  return Error{"A and B have none of throughput, user_speed_mean, ttft_mean and accepted_length in common",
               {},
               "--metric NAME compares others"};
}

std::set<std::size_t> measured_points(const ResultFile& file) {
  std::set<std::size_t> points;
  for (const std::int64_t point : file.table("recordings").integers("point"))
    points.insert(static_cast<std::size_t>(point));
  return points;
}

std::optional<Error> add_points(const ResultFile& a, const ResultFile& b, const PairedPoints& paired,
                                const std::vector<std::string>& fitted, ResultDifferences& found) {
  const Texts& policies_a = a.table("points").texts("policy");
  const Texts& policies_b = b.table("points").texts("policy");
  const std::set<std::size_t> measured_a = measured_points(a);
  const std::set<std::size_t> measured_b = measured_points(b);
  const bool same_coins =
      a.integer("seed") == b.integer("seed") && a.integer("replications") == b.integer("replications");
  std::vector<std::string> known;
  for (const PointPair& pair : paired.pairs) {
    ComparedPoint point;
    point.a = pair.a;
    point.b = pair.b;
    point.setting = pair.setting;
    point.policy_a = policies_a[pair.a];
    point.policy_b = policies_b[pair.b];
    point.lossless = a.table("points").integers("policy_lossless")[pair.a] != 0 &&
                     b.table("points").integers("policy_lossless")[pair.b] != 0;
    point.within_replications = same_coins && measured_a.contains(pair.a) == measured_b.contains(pair.b);
    if (!fitted.empty()) {
      const bool is_fitted = std::find(fitted.begin(), fitted.end(), point.policy_a) != fitted.end();
      point.role = is_fitted ? Role::kFitted : Role::kPredicted;
    }
    if (std::find(known.begin(), known.end(), point.policy_a) == known.end()) known.push_back(point.policy_a);
    found.points.push_back(std::move(point));
  }
  for (const std::string& policy : fitted) {
    if (std::find(known.begin(), known.end(), policy) != known.end()) continue;
    return Error{fmt::format("no point that is compared has the policy '{}', said to be fitted", policy),
                 {},
                 known_names_advice(policy, known)};
  }
  return std::nullopt;
}

Difference difference_of(const ReplicatedValues& a, const ReplicatedValues& b, const ComparedPoint& point) {
  Difference row;
  const std::vector<double> of_a = a.of(point.a);
  const std::vector<double> of_b = b.of(point.b);
  row.a = interval_of(of_a);
  row.b = interval_of(of_b);
  row.error = interval_of({});
  if (point.within_replications) {
    row.error = interval_of(a.relative_differences(point.a, b, point.b));
  } else if (row.a.n > 0 && row.b.n > 0 && row.b.mean != 0) {
    row.error = ratio_of_means(of_a, of_b);
    for (double* value : {&row.error.mean, &row.error.low, &row.error.high}) *value -= 1;
  }
  if (!std::isnan(row.b.low) && row.a.n > 0) {
    const double rounding = 1e-9 * std::fabs(row.b.mean);  // equal values may have an interval of no width
    row.is_inside = row.b.low - rounding <= row.a.mean && row.a.mean <= row.b.high + rounding;
  }
  return row;
}

/// Of the rows of one metric that have this role; nothing where there are none.
std::optional<ErrorSummary> summary_of(const ResultDifferences& found, std::size_t metric, Role role) {
  ErrorSummary summary;
  summary.metric = metric;
  summary.role = role;
  std::vector<double> sizes;
  for (const Difference& row : found.rows) {
    if (row.metric != metric || found.points[row.point].role != role || std::isnan(row.error.mean)) continue;
    const double size = std::fabs(row.error.mean);
    if (sizes.empty() || size > summary.worst) {
      summary.worst = size;
      summary.worst_point = row.point;
    }
    sizes.push_back(size);
    summary.bias += row.error.mean;
    summary.with_interval += row.is_inside ? 1 : 0;
    summary.inside += row.is_inside.value_or(false) ? 1 : 0;
  }
  if (sizes.empty()) return std::nullopt;
  std::sort(sizes.begin(), sizes.end());
  const std::size_t middle = sizes.size() / 2;
  summary.median = sizes.size() % 2 == 1 ? sizes[middle] : (sizes[middle - 1] + sizes[middle]) / 2;
  summary.n = static_cast<std::int64_t>(sizes.size());
  summary.bias /= static_cast<double>(summary.n);
  return summary;
}

/// What a policy is chosen for: more of it is better.
bool ranks_policies(const std::string& metric) {
  return metric == "throughput" || metric == "goodput" || metric.starts_with("user_speed_");
}

/// Of the rows of one metric and setting; nothing where fewer than two policies compete.
std::optional<RankAgreement> ranking_of(const ResultDifferences& found, const ReplicatedValues& b,
                                        std::size_t metric, std::size_t setting) {
  std::vector<const Difference*> rows;
  for (const Difference& row : found.rows) {
    const ComparedPoint& point = found.points[row.point];
    const bool competes = row.metric == metric && point.setting == setting && point.lossless;
    if (competes && !std::isnan(row.error.mean)) rows.push_back(&row);
  }
  if (!ranks_policies(found.metrics[metric].name) || rows.size() < 2) return std::nullopt;
  RankAgreement ranking;
  ranking.setting = setting;
  ranking.metric = metric;
  const auto best_by = [&](const Interval Difference::*of) {
    return (*std::max_element(
                rows.begin(), rows.end(),
                [&](const Difference* x, const Difference* y) { return (x->*of).mean < (y->*of).mean; }))
        ->point;
  };
  ranking.best_in_a = best_by(&Difference::a);
  ranking.best_in_b = best_by(&Difference::b);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double order = (rows[i]->a.mean - rows[j]->a.mean) * (rows[i]->b.mean - rows[j]->b.mean);
      ranking.pairs += order != 0 ? 1 : 0;
      ranking.same_order += order > 0 ? 1 : 0;
    }
  }
  std::vector<double> lost =
      b.relative_differences(found.points[ranking.best_in_a].b, b, found.points[ranking.best_in_b].b);
  for (double& share : lost) share = share == 0 ? 0 : -share;
  ranking.regret = interval_of(lost);
  return ranking;
}

/// The values of a result, without the runs that are left out.
class SteadyRuns {
 public:
  SteadyRuns(const ResultFile& file, const std::optional<double>& steady) : file_(file) {
    const auto baseline = BaselineSpeed::of(file);
    if (!baseline) return;
    if (steady) left_out_ = baseline->unsteady(*steady);
    speed_ = {baseline->runs(), baseline->median(), baseline->least(), baseline->most(), left_out_.size()};
  }

  ReplicatedValues values(const std::string& metric) const {
    ReplicatedValues values(file_, metric);
    values.leave_out(left_out_);
    return values;
  }
  const std::optional<MeasuredSpeed>& speed() const { return speed_; }

 private:
  const ResultFile& file_;
  std::vector<BaselineSpeed::Run> left_out_;
  std::optional<MeasuredSpeed> speed_;
};

/// Natural logarithms of throughput and three of its factors, as means over the replications that measured
/// all of them: factors multiply within a replication, so their means only add up as logarithms.
struct LogFactors {
  double throughput = 0, step_seconds = 0, requests = 0, busy = 0;
};

class FactorsOf {
 public:
  explicit FactorsOf(const SteadyRuns& runs)
      : throughput_(runs.values("throughput")),
        step_seconds_(runs.values("step_seconds_mean")),
        rows_(runs.values("batch_tokens")),
        prompt_rows_(runs.values("prefill_tokens")),
        verification_length_(runs.values("verification_length")),
        busy_share_(runs.values("busy_share")) {}

  LogFactors at(std::size_t point) const {
    LogFactors sum;
    double n = 0;
    for (std::size_t r = 0; r < throughput_.replications(); ++r) {
      // Each request that decodes has an anchor's row and those of its draft tokens.
      const double requests =
          (rows_.at(point, r) - prompt_rows_.at(point, r)) / (1 + verification_length_.at(point, r));
      const double values[] = {throughput_.at(point, r), step_seconds_.at(point, r), requests,
                               busy_share_.at(point, r)};
      if (!std::all_of(std::begin(values), std::end(values), [](double value) { return value > 0; }))
        continue;
      sum.throughput += log_portable(values[0]);
      sum.step_seconds += log_portable(values[1]);
      sum.requests += log_portable(values[2]);
      sum.busy += log_portable(values[3]);
      n += 1;
    }
    return {sum.throughput / n, sum.step_seconds / n, sum.requests / n, sum.busy / n};  // NaN where n = 0
  }

 private:
  ReplicatedValues throughput_, step_seconds_, rows_, prompt_rows_, verification_length_, busy_share_;
};

ThroughputShares shares_of(const LogFactors& a, const LogFactors& b) {
  ThroughputShares shares;
  shares.total = a.throughput - b.throughput;
  shares.step_time = b.step_seconds - a.step_seconds;
  shares.requests = a.requests - b.requests;
  shares.busy = a.busy - b.busy;
  shares.tokens_per_request = shares.total - shares.step_time - shares.requests - shares.busy;
  return shares;
}

}  // namespace

const char* name_of(Role role) {
  return role == Role::kFitted ? "fitted" : role == Role::kPredicted ? "predicted" : "";
}

Machine machine_of(const ResultFile& file) {
  const std::size_t measured = measured_points(file).size();
  if (measured == 0) return Machine::kModelled;
  return measured < file.table("points").rows() ? Machine::kBoth : Machine::kMeasured;
}

Result<ResultDifferences> compare_results(const ResultFile& a, const ResultFile& b,
                                          const DifferenceOptions& options) {
  auto metrics = chosen_metrics(a, b, options.metrics);
  if (!metrics) return metrics.error();
  auto paired = pair_points(a, b, options.choices);
  if (!paired) return paired.error();
  ResultDifferences found;
  found.metrics = std::move(*metrics);
  found.axes = std::move(paired->axes);
  found.settings = std::move(paired->settings);
  found.lone = std::move(paired->lone);
  found.fixed = std::move(paired->fixed);
  if (const auto error = add_points(a, b, *paired, options.fitted, found)) return *error;
  const SteadyRuns runs_a(a, options.steady);
  const SteadyRuns runs_b(b, options.steady);
  found.speed_a = runs_a.speed();
  found.speed_b = runs_b.speed();
  for (std::size_t metric = 0; metric < found.metrics.size(); ++metric) {
    const ReplicatedValues of_a = runs_a.values(found.metrics[metric].name);
    const ReplicatedValues of_b = runs_b.values(found.metrics[metric].name);
    for (std::size_t point = 0; point < found.points.size(); ++point) {
      Difference row = difference_of(of_a, of_b, found.points[point]);
      row.point = point;
      row.metric = metric;
      found.rows.push_back(row);
    }
    for (const Role role : {Role::kUnstated, Role::kPredicted, Role::kFitted}) {
      if (const auto summary = summary_of(found, metric, role)) found.summaries.push_back(*summary);
    }
    for (std::size_t setting = 0; setting < found.settings.size(); ++setting) {
      if (const auto ranking = ranking_of(found, of_b, metric, setting)) found.rankings.push_back(*ranking);
    }
  }
  const FactorsOf of_a(runs_a);
  const FactorsOf of_b(runs_b);
  for (std::size_t point = 0; point < found.points.size(); ++point) {
    found.shares.push_back(shares_of(of_a.at(found.points[point].a), of_b.at(found.points[point].b)));
    found.shares.back().point = point;
  }
  return found;
}

}  // namespace dspark
