#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "experiments/cli/compare_report.h"
#include "experiments/cli/text_table.h"
#include "experiments/results/difference_tables.h"

namespace dspark {
namespace {

constexpr std::size_t kWidth = 200;

const char* machine_words(Machine machine) {
  return machine == Machine::kModelled   ? "modelled"
         : machine == Machine::kMeasured ? "measured"
                                         : "modelled and measured";
}

std::string percent(double share) { return std::isnan(share) ? "-" : fmt::format("{:+.1f} %", share * 100); }
std::string size_percent(double share) { return fmt::format("{:.1f} %", share * 100); }

std::string interval_text(const Interval& interval) {
  return std::isnan(interval.low) ? "-" : percent(interval.low) + " .. " + percent(interval.high);
}

/// The mean, and half of its interval with the same decimals.
std::string mean_text(const Interval& interval) {
  std::string mean = number(interval.mean);
  if (std::isnan(interval.low)) return mean;
  const double half = (interval.high - interval.low) / 2;
  const bool plain = interval.mean != 0 && mean.find('e') == std::string::npos;
  return mean + " ± " + (plain ? fmt::format("{:.{}f}", half, decimals_of(interval.mean)) : number(half));
}

bool says_roles(const ResultDifferences& differences) {
  return differences.points.front().role != Role::kUnstated;
}

/// "modelled" and "measured" where that tells them apart, else "A" and "B".
std::pair<std::string, std::string> side_names(const ComparedResults& compared) {
  const Machine a = machine_of(compared.a);
  const Machine b = machine_of(compared.b);
  if (a == b || a == Machine::kBoth || b == Machine::kBoth) return {"A", "B"};
  return {machine_words(a), machine_words(b)};
}

std::string file_line(const char* letter, const std::string& path, const ResultFile& file) {
  const std::string title = file.text("title");
  return fmt::format("{}  {} ({}; seed {}, {} replications){}{}\n", letter, path,
                     machine_words(machine_of(file)), file.integer("seed"), file.integer("replications"),
                     title.empty() ? "" : ": ", title);
}

/// The --set options of a file, which stand there line by line.
std::string set_line(const char* letter, const std::string& options) {
  std::string words = options;
  for (std::size_t at; (at = words.find('\n')) != std::string::npos;) words.replace(at, 1, "; ");
  return fmt::format("--set of {}: {}\n", letter, words.empty() ? "nothing" : words);
}

/// How fast the computer itself was.
std::string speed_line(const char* letter, const std::optional<MeasuredSpeed>& speed) {
  if (!speed) return {};
  const auto off = [&](double seconds) { return percent(seconds / speed->median - 1); };
  std::string text =
      fmt::format("speed of {}'s computer: a baseline step takes {} ms, {} .. {} around {} runs", letter,
                  number(speed->median * 1e3), off(speed->least), off(speed->most), speed->runs);
  if (speed->left_out > 0)
    text += fmt::format("; {} of them, at another speed, are left out", speed->left_out);
  return text + "\n";
}

/// How differences were taken, in words.
std::string pairing_words(const ResultDifferences& differences) {
  const auto within = std::count_if(differences.points.begin(), differences.points.end(),
                                    [](const ComparedPoint& point) { return point.within_replications; });
  if (within == 0) return "of independent means (other seeds, replications or machines)";
  if (within == static_cast<std::ptrdiff_t>(differences.points.size()))
    return "within each replication (the same users and coins on both sides)";
  return "within each replication where both sides had the same users and coins, else of independent means";
}

std::string heading(const ComparedResults& compared) {
  const ResultDifferences& d = compared.differences;
  std::string text = file_line("A", compared.path_a, compared.a);
  text += file_line("B", compared.path_b, compared.b);
  const std::string set_a = compared.a.text("set_options");
  const std::string set_b = compared.b.text("set_options");
  const bool same_yaml = compared.a.text("experiment") == compared.b.text("experiment");
  text +=
      same_yaml ? "both ran the same YAML" : "they ran different YAML files: what is no axis may differ too";
  text += "\n";
  if (set_a != set_b) text += set_line("A", set_a) + set_line("B", set_b);
  if (machine_of(compared.a) == Machine::kMeasured && machine_of(compared.b) == Machine::kModelled)
    text += "A is the measured one: give it second to have errors of the model\n";
  text += speed_line("A", d.speed_a) + speed_line("B", d.speed_b);
  if (!d.fixed.empty()) text += fmt::format("only one has, and never varies: {}\n", fmt::join(d.fixed, ", "));
  const Table& fits = compared.a.table("fits");
  const Texts& roles = fits.texts("role");
  if (!says_roles(d) && !roles.empty()) {
    const auto fitted = std::count(roles.begin(), roles.end(), "fitted");
    text += fmt::format("A's machine was fitted to {} of the {} published numbers in its /fits\n", fitted,
                        roles.size());
  }
  return text + fmt::format("{}: A / B - 1, {}; B is the reference\n\n",
                            compared.policies_differ ? "difference" : "error", pairing_words(d));
}

std::vector<std::string> setting_heads(const ResultDifferences& differences) {
  std::vector<std::string> heads;
  for (const std::string& path : differences.axes) heads.push_back(path.substr(path.rfind('.') + 1));
  return heads;
}

std::string metric_table(const ComparedResults& compared, std::size_t metric) {
  const ResultDifferences& d = compared.differences;
  const auto [name_a, name_b] = side_names(compared);
  std::vector<Row> rows{{"policy"}};
  for (const std::string& head : setting_heads(d)) rows[0].push_back(head);
  rows[0].insert(rows[0].end(), {name_a, name_b, compared.policies_differ ? "difference" : "error",
                                 "95 % interval", "inside"});
  if (says_roles(d)) rows[0].push_back("role");
  for (const Difference& row : d.rows) {
    if (row.metric != metric) continue;
    const ComparedPoint& point = d.points[row.point];
    const bool one_policy = point.policy_a == point.policy_b;
    Row line{one_policy ? point.policy_a : point.policy_a + " against " + point.policy_b};
    line.insert(line.end(), d.settings[point.setting].begin(), d.settings[point.setting].end());
    line.insert(line.end(),
                {mean_text(row.a), mean_text(row.b), percent(row.error.mean), interval_text(row.error),
                 !row.is_inside   ? "-"
                 : *row.is_inside ? "yes"
                                  : "no"});
    if (says_roles(d)) line.push_back(name_of(point.role));
    rows.push_back(std::move(line));
  }
  const std::string& unit = d.metrics[metric].unit;
  return fmt::format("{}{}\n", d.metrics[metric].name, unit == "1" ? "" : " [" + unit + "]") +
         aligned(rows, 1 + d.axes.size(), kWidth) + "\n";
}

std::string summary_table(const ResultDifferences& d) {
  std::vector<Row> rows{{"metric", "points", "median", "worst", "at", "bias", "inside"}};
  if (says_roles(d)) rows[0].insert(rows[0].begin() + 1, "role");
  for (const ErrorSummary& s : d.summaries) {
    rows.push_back({d.metrics[s.metric].name, std::to_string(s.n), size_percent(s.median),
                    size_percent(s.worst), point_words(d, s.worst_point), percent(s.bias),
                    s.with_interval == 0 ? "-" : fmt::format("{} of {}", s.inside, s.with_interval)});
    if (says_roles(d)) rows.back().insert(rows.back().begin() + 1, name_of(s.role));
  }
  return "|error| over all points; bias: mean of the signed errors; inside: A's mean in B's 95 % interval\n" +
         aligned(rows, says_roles(d) ? 2 : 1, kWidth) + "\n";
}

std::string ranking_table(const ComparedResults& compared) {
  const ResultDifferences& d = compared.differences;
  if (d.rankings.empty()) return {};
  const auto [name_a, name_b] = side_names(compared);
  std::vector<Row> rows{{"metric"}};
  for (const std::string& head : setting_heads(d)) rows[0].push_back(head);
  rows[0].insert(rows[0].end(),
                 {"best " + name_a, "best " + name_b, "same order", "regret", "95 % interval"});
  for (const RankAgreement& ranking : d.rankings) {
    Row line{d.metrics[ranking.metric].name};
    const auto& setting = d.settings[ranking.setting];
    line.insert(line.end(), setting.begin(), setting.end());
    line.insert(line.end(), {d.points[ranking.best_in_a].policy_b, d.points[ranking.best_in_b].policy_b,
                             fmt::format("{} of {}", ranking.same_order, ranking.pairs),
                             size_percent(ranking.regret.mean),
                             ranking.best_in_a == ranking.best_in_b ? "-" : interval_text(ranking.regret)});
    rows.push_back(std::move(line));
  }
  return fmt::format(
             "which lossless policy is best; regret: what {} loses with the choice of {}, of its own best\n",
             name_b, name_a) +
         aligned(rows, 1 + d.axes.size(), kWidth) + "\n";
}

std::string explanation(const ResultDifferences& d) {
  std::vector<Row> rows{{"policy"}};
  for (const std::string& head : setting_heads(d)) rows[0].push_back(head);
  rows[0].insert(rows[0].end(), {"ln(A / B)", "step time", "requests", "tokens", "busy"});
  for (const ThroughputShares& s : d.shares) {
    const ComparedPoint& point = d.points[s.point];
    Row line{point.policy_a == point.policy_b ? point.policy_a
                                              : point.policy_a + " against " + point.policy_b};
    line.insert(line.end(), d.settings[point.setting].begin(), d.settings[point.setting].end());
    for (const double share : {s.total, s.step_time, s.requests, s.tokens_per_request, s.busy})
      line.push_back(std::isnan(share) ? "-" : fmt::format("{:+.3f}", share));
    rows.push_back(std::move(line));
  }
  return "where the error of throughput comes from: ln(A / B) is the sum of what seconds per step, requests "
         "that\n"
         "decode in a step, tokens per such request and the share of busy time add to it (+0.010 is 1 % "
         "more)\n" +
         aligned(rows, 1 + d.axes.size(), kWidth) + "\n";
}

std::string lone_points(const ComparedResults& compared) {
  const Table lone = lone_points_table(compared.differences, compared.a, compared.b);
  if (lone.rows() == 0) return {};
  std::string text = "without a partner, and not compared\n";
  for (std::size_t row = 0; row < lone.rows(); ++row) {
    text += fmt::format(
        "  only in {}: {}{}\n", lone.texts("file")[row] == "a" ? "A" : "B", lone.texts("values")[row],
        lone.integers("repeated")[row] != 0 ? " (repeated; its first point is compared)" : "");
  }
  return text + "\n";
}

/// The metric that the sentence is about.
std::size_t metric_of_sentence(const ResultDifferences& d) {
  for (std::size_t metric = 0; metric < d.metrics.size(); ++metric) {
    if (d.metrics[metric].name == "user_speed_mean") return metric;
  }
  return 0;
}

/// Of its predicted points, else of all; nullptr where it was measured nowhere.
const ErrorSummary* summary_of_sentence(const ResultDifferences& d, std::size_t metric) {
  const ErrorSummary* found = nullptr;
  for (const ErrorSummary& summary : d.summaries) {
    const bool of_metric = summary.metric == metric;
    if (of_metric && (!found || summary.role == Role::kPredicted)) found = &summary;
  }
  return found;
}

/// "none against dspark over 6 points: throughput is -12.1 % in the median, from -30 % (1 user) to ...".
std::string signed_sentence(const ComparedResults& compared, std::size_t metric) {
  const ResultDifferences& d = compared.differences;
  std::vector<const Difference*> rows;
  for (const Difference& row : d.rows) {
    if (row.metric == metric && !std::isnan(row.error.mean)) rows.push_back(&row);
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Difference* x, const Difference* y) { return x->error.mean < y->error.mean; });
  const std::size_t middle = rows.size() / 2;
  const double median = rows.size() % 2 == 1 ? rows[middle]->error.mean
                                             : (rows[middle - 1]->error.mean + rows[middle]->error.mean) / 2;
  const ComparedPoint& first = d.points.front();
  std::string text = fmt::format("{} against {}", first.policy_a, first.policy_b);
  if (rows.size() == 1)
    return fmt::format("{}: {} is {}.\n", text, metric_words(d.metrics[metric].name), percent(median));
  const auto at = [&](const Difference* row) {
    const std::string setting = setting_words(d, d.points[row->point].setting);
    return percent(row->error.mean) + (setting.empty() ? "" : " (" + setting + ")");
  };
  return fmt::format("{} over {} points: {} is {} in the median, from {} to {}.\n", text, rows.size(),
                     metric_words(d.metrics[metric].name), percent(median), at(rows.front()),
                     at(rows.back()));
}

}  // namespace

std::string metric_words(const std::string& metric) {
  if (metric == "user_speed_mean") return "user speed";
  if (metric == "ttft_mean") return "time to the first token";
  std::string words = metric;
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

std::string difference_sentence(const ComparedResults& compared) {
  const ResultDifferences& d = compared.differences;
  const std::size_t metric = metric_of_sentence(d);
  const ErrorSummary* summary = summary_of_sentence(d, metric);
  const std::string words = metric_words(d.metrics[metric].name);
  auto [name_a, name_b] = side_names(compared);
  name_a[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name_a[0])));
  if (!summary)
    return fmt::format("{} against {}: {} was measured at no point of both.\n", name_a, name_b, words);
  if (compared.policies_differ) return signed_sentence(compared, metric);
  const std::string role = summary->role == Role::kUnstated ? "" : std::string(name_of(summary->role)) + " ";
  if (summary->n == 1) {
    return fmt::format("{} against {} at one {}point: {} is {} off ({}).\n", name_a, name_b, role, words,
                       size_percent(summary->worst), point_words(d, summary->worst_point));
  }
  return fmt::format("{} against {} over {} {}points: {} is {} off in the median and {} at worst ({}).\n",
                     name_a, name_b, summary->n, role, words, size_percent(summary->median),
                     size_percent(summary->worst), point_words(d, summary->worst_point));
}

std::string difference_text(const ComparedResults& compared, bool explain, const std::string& judgement) {
  const ResultDifferences& d = compared.differences;
  std::string text = heading(compared);
  for (std::size_t metric = 0; metric < d.metrics.size(); ++metric) text += metric_table(compared, metric);
  text += summary_table(d) + ranking_table(compared);
  if (explain) text += explanation(d);
  return text + lone_points(compared) + judgement + difference_sentence(compared);
}

}  // namespace dspark
