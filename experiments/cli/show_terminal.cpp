#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "experiments/cli/show_data.h"
#include "experiments/cli/text_table.h"
#include "experiments/results/policy_comparison.h"

namespace dspark {
namespace {

/// The half width with the decimals of its mean.
std::string cell_text(const Cell& cell) {
  std::string mean = number(cell.mean);
  if (std::isnan(cell.low)) return mean;
  const double half = (cell.high - cell.low) / 2;
  const bool scientific = mean.find('e') != std::string::npos;
  return mean + " ± " +
         (scientific || cell.mean == 0 ? fmt::format("{:.2g}", half)
                                       : fmt::format("{:.{}f}", half, decimals_of(cell.mean)));
}

/// Rows of the tables: the combinations of all axes but the policy's; columns: the policies; both as they
/// appear.
struct Layout {
  std::vector<std::size_t> row_axes;
  std::vector<Row> rows;
  std::vector<std::string> policies;
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> points;  // (row, column): point

  explicit Layout(const ShowData& data) {
    for (std::size_t axis = 0; axis < data.axes().size(); ++axis) {
      if (data.axes()[axis] != "policy" && !data.axes()[axis].starts_with("policy."))
        row_axes.push_back(axis);
    }
    for (std::size_t point = 0; point < data.points(); ++point) {
      Row row;
      for (const std::size_t axis : row_axes) row.push_back(data.axis_text(axis, point));
      points.emplace(std::pair(place(rows, row), place(policies, data.axis_text(0, point))), point);
    }
  }

  template <class T>
  static std::size_t place(std::vector<T>& known, const T& value) {
    const auto at = std::find(known.begin(), known.end(), value);
    if (at != known.end()) return static_cast<std::size_t>(at - known.begin());
    known.push_back(value);
    return known.size() - 1;
  }
};

std::string metric_table(const ShowData& data, const Layout& layout, std::size_t metric, std::size_t width) {
  const std::string& name = data.metrics()[metric];
  const bool mark = more_is_better(name) && layout.policies.size() > 1;
  const Integers& lossless = data.file().table("points").integers("policy_lossless");
  std::vector<Row> rows{Row{}};
  for (const std::size_t axis : layout.row_axes) rows[0].push_back(data.axes()[axis]);
  for (const std::string& policy : layout.policies) rows[0].push_back(policy + (mark ? " " : ""));
  for (std::size_t r = 0; r < layout.rows.size(); ++r) {
    Row row = layout.rows[r];
    std::size_t best = row.size();
    double best_mean = -INFINITY;
    for (std::size_t p = 0; p < layout.policies.size(); ++p) {
      const auto point = layout.points.find({r, p});
      const Cell* cell = point == layout.points.end() ? nullptr : data.cell(metric, point->second);
      if (cell && lossless[point->second] != 0 && cell->mean > best_mean) {
        best_mean = cell->mean;
        best = row.size();
      }
      row.push_back(cell ? cell_text(*cell) : "-");
    }
    if (mark) {
      for (std::size_t c = layout.row_axes.size(); c < row.size(); ++c) row[c] += c == best ? "*" : " ";
    }
    rows.push_back(std::move(row));
  }
  const std::string unit = data.unit(metric) == "1" ? std::string() : " [" + data.unit(metric) + "]";
  return fmt::format("{}{}: mean ± half of the 95 % interval{}\n", name, unit,
                     mark ? ", * the highest of a lossless policy" : "") +
         aligned(rows, layout.row_axes.size(), width) + "\n";
}

std::string crossovers(const ShowData& data, std::size_t width) {
  const Table& table = data.file().table("crossovers");
  if (table.rows() < 2 || !table.find("metric")) return {};
  std::vector<std::size_t> context;
  const Numbers& loads = table.numbers("load");
  const bool has_load =
      !std::all_of(loads.begin(), loads.end(), [](double load) { return std::isnan(load); });
  const std::string load = has_load ? data.file().text("load_axis") : std::string();
  for (std::size_t axis = 0; axis < data.axes().size(); ++axis) {
    const std::string& name = data.axes()[axis];
    if (name != "policy" && !name.starts_with("policy.") && name != load) context.push_back(axis);
  }
  std::vector<Row> rows{Row{}};
  for (const std::size_t axis : context) rows[0].push_back(data.axes()[axis]);
  for (const char* head : {"load", "best policy", "metric", "mean", "ahead of", "by", "95 % interval", ""})
    rows[0].push_back(head);
  for (std::size_t r = 0; r < table.rows(); ++r) {
    Row row;
    const auto best = static_cast<std::size_t>(table.integers("best")[r]);
    for (const std::size_t axis : context)
      row.push_back(best < data.points() ? data.axis_text(axis, best) : "");
    const double low = table.numbers("margin_low")[r];
    const auto percent = [](double share) {
      return std::isnan(share) ? "-" : fmt::format("{:+.1f} %", share * 100);
    };
    row.push_back(std::isnan(loads[r]) ? "-" : fmt::format("{}", loads[r]));
    row.push_back(table.texts("policy")[r]);
    row.push_back(table.texts("metric")[r]);
    row.push_back(number(table.numbers("value")[r]));
    row.push_back(table.texts("runner_up_policy")[r]);
    row.push_back(percent(table.numbers("margin")[r]));
    row.push_back(std::isnan(low) ? "-" : percent(low) + " .. " + percent(table.numbers("margin_high")[r]));
    row.push_back(table.integers("changed")[r] != 0 ? "<- changes" : low <= 0 ? "no clear lead" : "");
    rows.push_back(std::move(row));
  }
  Texts metrics;
  for (const std::string& metric : table.texts("metric")) Layout::place(metrics, metric);
  const bool open = std::find(metrics.begin(), metrics.end(), "user_speed_mean") != metrics.end();
  return fmt::format("best lossless policy{} by {}{}\n", has_load ? " at each load" : "",
                     fmt::join(metrics, " or "), open ? " (open arrivals fix the throughput)" : "") +
         aligned(rows, context.size() + 1, std::max<std::size_t>(width, 200)) + "\n";
}

std::string fits(const ShowData& data) {
  const Table& table = data.file().table("fits");
  if (table.rows() == 0) return {};
  std::vector<Row> rows{{"what", "role", "measured", "modelled", "miss", "unit"}};
  for (std::size_t r = 0; r < table.rows(); ++r) {
    const double measured = table.numbers("measured")[r];
    const double modelled = table.numbers("modelled")[r];
    const bool compared = std::isfinite(measured) && measured != 0;
    rows.push_back({table.texts("what")[r], table.texts("role")[r], number(measured), number(modelled),
                    compared ? fmt::format("{:+.2f} %", (modelled / measured - 1) * 100) : "-",
                    table.texts("unit")[r]});
  }
  return "against published measurements\n" + aligned(rows, 2, 200) + "\n";
}

std::string lossless_note(const ShowData& data) {
  const Texts& policies = data.file().table("points").texts("policy");
  const Integers& lossless = data.file().table("points").integers("policy_lossless");
  std::vector<std::string> lossy;
  for (std::size_t point = 0; point < lossless.size() && point < policies.size(); ++point) {
    if (lossless[point] == 0) Layout::place(lossy, policies[point]);
  }
  if (lossy.empty()) return "all policies are lossless: the output distribution is the target model's\n";
  return fmt::format("not lossless (bounds, not for serving): {}; all others are\n", fmt::join(lossy, ", "));
}

/// The largest mean of a metric over all points; 0 where there is none.
double largest(const ShowData& data, const std::string& name) {
  const int metric = data.metric_index(name);
  double most = 0;
  for (std::size_t point = 0; metric >= 0 && point < data.points(); ++point) {
    const Cell* cell = data.cell(static_cast<std::size_t>(metric), point);
    if (cell != nullptr) most = std::max(most, cell->mean);
  }
  return most;
}

/// Which points were measured, and how much of them was written down.
std::string measured_note(const ShowData& data) {
  const Table& recordings = data.file().table("recordings");
  if (recordings.rows() == 0) return {};
  const Integers& points = recordings.integers("point");
  const std::set<std::int64_t> measured(points.begin(), points.end());
  std::int64_t steps = 0;
  for (const std::int64_t of_run : recordings.integers("steps")) steps += of_run;
  return fmt::format(
      "measured on a real machine: {} of {} points; the durations of {} steps are kept (dspark run "
      "EXPERIMENT.yaml --durations FILE.h5 --out AGAIN.h5 serves them again)\n",
      measured.size(), data.points(), steps);
}

std::string notes(const ShowData& data) {
  std::string text = measured_note(data);
  if (const double rejected = largest(data, "rejected_requests"); rejected > 0) {
    text += fmt::format(
        "note: up to {} requests per run were larger than the KV cache and rejected; metrics are of the "
        "others (--metric rejected_requests)\n",
        number(rejected));
  }
  if (const double extrapolated = largest(data, "extrapolated_steps"); extrapolated > 0) {
    text += fmt::format(
        "note: up to {:.1f} % of a point's steps were larger than anything measured in verify_cost; their "
        "price is extrapolated (--metric extrapolated_steps)\n",
        100 * extrapolated);
  }
  return text;
}

}  // namespace

std::string heading_text(const ShowData& data) {
  const ResultFile& file = data.file();
  const std::string title = file.text("title");
  return fmt::format("{}\n{} points × {} replications, seed {}, experiment {}\n\n",
                     title.empty() ? "untitled" : title, data.points(), file.integer("replications"),
                     file.integer("seed"), file.text("experiment_digest"));
}

std::string terminal_text(const ShowData& data, const std::vector<std::size_t>& metrics, std::size_t width) {
  std::string text = heading_text(data);
  const Layout layout(data);
  for (const std::size_t metric : metrics) text += metric_table(data, layout, metric, width);
  return text + crossovers(data, width) + fits(data) + notes(data) + lossless_note(data);
}

}  // namespace dspark
