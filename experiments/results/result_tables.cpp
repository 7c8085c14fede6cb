#include "experiments/results/result_tables.h"

#include <fmt/format.h>

#include <set>
#include <tuple>

#include "experiments/digest.h"
#include "experiments/results/comparisons.h"
#include "experiments/results/metric_samples.h"
#include "experiments/results/recorded_runs.h"
#include "experiments/results/statistics.h"

namespace dspark {
namespace {

Column point_column() { return {"point", "1", "row of /points", Integers{}}; }
Column replication_column() { return {"replication", "1", "number from 0", Integers{}}; }

void push(Column& column, std::int64_t value) { std::get<Integers>(column.values).push_back(value); }
void push(Column& column, double value) { std::get<Numbers>(column.values).push_back(value); }
void push(Column& column, const std::string& value) { std::get<Texts>(column.values).push_back(value); }

/// One row: the values in the order of the columns, each of its column's type.
template <class... Values>
void add_row(Table& table, const Values&... values) {
  std::size_t column = 0;
  (push(table.columns[column++], values), ...);
}

Table axes_table(const Experiment& experiment) {
  Table table{"axes",
              "the swept axes, in the order of the YAML",
              true,
              {{"path", "", "dotted YAML path; also the name of the column in /points", Texts{}},
               {"numeric", "1", "1 where every value is a number", Integers{}}}};
  for (std::size_t axis = 0; axis < experiment.axes.size(); ++axis) {
    add_row(table, experiment.axes[axis], std::int64_t{is_numeric_axis(experiment, axis)});
  }
  return table;
}

Column axis_column(const Experiment& experiment, std::size_t axis) {
  Column column{experiment.axes[axis], "", "axis of the sweep", Texts{}};
  const bool numeric = is_numeric_axis(experiment, axis);
  if (numeric) {
    column.unit = "as in the YAML";
    column.values = Numbers{};
  }
  for (const Point& point : experiment.points) {
    const std::string& text = point.axis_texts[axis];
    numeric ? push(column, *parse_number(text)) : push(column, text);
  }
  return column;
}

Table points_table(const Experiment& experiment) {
  Column number{"point", "1", "number from 0, to which the other tables refer", Integers{}};
  Column policy{"policy", "", "the policy as written in the YAML", Texts{}};
  Column lossless{"policy_lossless", "1", "1 where the policy leaves the output distribution unchanged",
                  Integers{}};
  for (const Point& point : experiment.points) {
    push(number, static_cast<std::int64_t>(std::get<Integers>(number.values).size()));
    push(policy, point.policy);
    push(lossless, std::int64_t{point.scenario->policy_is_lossless()});
  }
  Table table{
      "points", "one row per combination of the sweep's axes", true, {std::move(number), std::move(policy)}};
  for (std::size_t axis = 0; axis < experiment.axes.size(); ++axis) {
    if (experiment.axes[axis] != "policy") table.columns.push_back(axis_column(experiment, axis));
  }
  table.columns.push_back(std::move(lossless));
  return table;
}

Table catalogue_table(const MetricSamples& samples) {
  Table table{"metric_catalogue",
              "the metrics of this file",
              true,
              {{"metric", "", "name; metrics by position are name.k, k from 1", Texts{}},
               {"unit", "", "1 where dimensionless", Texts{}},
               {"description", "", "definition", Texts{}}}};
  for (const MetricName& metric : samples.names())
    add_row(table, metric.name, metric.unit, metric.description);
  return table;
}

Table metrics_table(const MetricSamples& samples) {
  const std::string unit = "as the metric";
  Table table{"metrics",
              "means over replications with Student-t 95 % intervals",
              false,
              {point_column(),
               {"metric", "", "name, see /metric_catalogue", Texts{}},
               {"mean", unit, "mean over replications", Numbers{}},
               {"low", unit, "lower end of the 95 % interval", Numbers{}},
               {"high", unit, "upper end of the 95 % interval", Numbers{}},
               {"n", "1", "replications in which it was measured", Integers{}}}};
  for (std::size_t point = 0; point < samples.points(); ++point) {
    for (std::size_t metric = 0; metric < samples.names().size(); ++metric) {
      const Interval i = interval_of(samples.of(metric, point));
      if (i.n == 0) continue;
      add_row(table, static_cast<std::int64_t>(point), samples.names()[metric].name, i.mean, i.low, i.high,
              i.n);
    }
  }
  return table;
}

Table replications_table(const MetricSamples& samples) {
  Table table{"replications",
              "the value of each metric in each replication",
              false,
              {point_column(),
               replication_column(),
               {"metric", "", "name, see /metric_catalogue", Texts{}},
               {"value", "as the metric", "value in this replication", Numbers{}}}};
  for (std::size_t point = 0; point < samples.points(); ++point) {
    for (std::size_t r = 0; r < samples.replications(); ++r) {
      for (std::size_t metric = 0; metric < samples.names().size(); ++metric) {
        const double value = samples.at(metric, point, r);
        if (value != value) continue;
        add_row(table, static_cast<std::int64_t>(point), static_cast<std::int64_t>(r),
                samples.names()[metric].name, value);
      }
    }
  }
  return table;
}

/// Calls `visit(point, replication, result)` in order.
template <class Visit>
void for_each_unit(const Experiment& experiment, const SweepResults& results, Visit visit) {
  const auto replications = static_cast<std::size_t>(experiment.replications);
  for (std::size_t unit = 0; unit < results.size(); ++unit) {
    visit(static_cast<std::int64_t>(unit / replications), static_cast<std::int64_t>(unit % replications),
          *results[unit]);
  }
}

Table digests_table(const Experiment& experiment, const SweepResults& results) {
  Table table{"digests",
              "what each replication did, in one number",
              false,
              {point_column(),
               replication_column(),
               {"digest", "", "of the event trace, 32 hexadecimal digits", Texts{}},
               {"events", "1", "events of the simulation", Integers{}},
               {"simulated_seconds", "s", "virtual time at the end", Numbers{}}}};
  for_each_unit(
      experiment, results, [&](std::int64_t point, std::int64_t replication, const ReplicationResult& r) {
        add_row(table, point, replication, hex({r.digest[0], r.digest[1]}), r.events, r.simulated_seconds);
      });
  return table;
}

Table series_table(const Experiment& experiment, const SweepResults& results) {
  Table table{
      "series",
      "the system by windows of virtual time, warm-up included",
      false,
      {point_column(),
       replication_column(),
       {"start_seconds", "s", "start of the window", Numbers{}},
       {"width_seconds", "s", "width of the window", Numbers{}},
       {"throughput", "tokens/s", "output tokens per second", Numbers{}},
       {"running_requests", "requests", "mean over the window's steps", Numbers{}},
       {"waiting_requests", "requests", "mean over the window's steps", Numbers{}},
       {"verification_length", "tokens", "draft tokens verified per decoding request and step", Numbers{}},
       {"batch_tokens", "rows", "rows per step", Numbers{}}}};
  for_each_unit(experiment, results,
                [&](std::int64_t point, std::int64_t replication, const ReplicationResult& r) {
                  for (const SeriesWindow& w : r.series) {
                    add_row(table, point, replication, w.start_seconds, w.width_seconds, w.throughput,
                            w.running_requests, w.waiting_requests, w.verification_length, w.batch_tokens);
                  }
                });
  return table;
}

Table reliability_table(const Experiment& experiment, const SweepResults& results) {
  Table table{"reliability",
              "share of verified draft tokens accepted, by predicted confidence",
              false,
              {point_column(),
               replication_column(),
               {"bin", "1", "of 20 equal bins on [0, 1]", Integers{}},
               {"count", "tokens", "verified positions in the bin", Numbers{}},
               {"mean_confidence", "1", "mean predicted confidence", Numbers{}},
               {"accepted_share", "1", "share accepted", Numbers{}}}};
  for_each_unit(experiment, results,
                [&](std::int64_t point, std::int64_t replication, const ReplicationResult& r) {
                  for (const ReliabilityBin& b : r.reliability) {
                    add_row(table, point, replication, std::int64_t{b.bin}, b.count, b.mean_confidence,
                            b.accepted_share);
                  }
                });
  return table;
}

/// Points that share a machine share its fits: each is listed once, with the first point that has it.
Table fits_table(const Experiment& experiment) {
  Table table{"fits",
              "numbers fitted to, or predicted for, published measurements",
              false,
              {point_column(),
               {"what", "", "the quantity", Texts{}},
               {"role", "", "fitted, predicted, solved, interpolated or extrapolated", Texts{}},
               {"unit", "", "of measured and modelled", Texts{}},
               {"measured", "see unit", "published value; NaN where nothing was measured", Numbers{}},
               {"modelled", "see unit", "value in the model", Numbers{}}}};
  std::set<std::tuple<std::string, std::string, std::string, std::string, std::string>> known;
  for (std::size_t point = 0; point < experiment.points.size(); ++point) {
    for (const FitLine& fit : experiment.points[point].scenario->fits()) {
      const bool is_new =
          known.emplace(fit.what, fit.role, fit.unit, number_text(fit.measured), number_text(fit.modelled))
              .second;
      if (!is_new) continue;
      add_row(table, static_cast<std::int64_t>(point), fit.what, fit.role, fit.unit, fit.measured,
              fit.modelled);
    }
  }
  return table;
}

std::string joined_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

}  // namespace

ResultFile build_result(const Experiment& experiment, const SweepResults& results) {
  const MetricSamples samples(experiment, results);
  const int load = figure_axis(experiment);
  ResultFile file;
  file.attributes = {
      {"title", experiment.title},
      {"schema_version", std::int64_t{kSchemaVersion}},
      {"dspark_version", std::string(DSPARK_VERSION)},
      {"result_version", std::int64_t{kResultVersion}},
      {"seed", static_cast<std::int64_t>(experiment.seed)},
      {"replications", std::int64_t{experiment.replications}},
      {"experiment", experiment.yaml},
      {"set_options", joined_lines(experiment.set_options)},
      {"experiment_digest", hex(experiment.digest)},
      {"figures", experiment.figures},
      {"load_axis", load < 0 ? std::string() : experiment.axes[static_cast<std::size_t>(load)]}};
  file.tables.push_back(axes_table(experiment));
  file.tables.push_back(points_table(experiment));
  file.tables.push_back(catalogue_table(samples));
  file.tables.push_back(metrics_table(samples));
  file.tables.push_back(replications_table(samples));
  file.tables.push_back(digests_table(experiment, results));
  file.tables.push_back(paired_table(experiment, samples));
  file.tables.push_back(crossovers_table(experiment, samples));
  file.tables.push_back(series_table(experiment, results));
  file.tables.push_back(reliability_table(experiment, results));
  file.tables.push_back(fits_table(experiment));
  for (Table& table : recording_tables(experiment, results)) file.tables.push_back(std::move(table));
  return file;
}

}  // namespace dspark
