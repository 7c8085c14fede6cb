#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "experiments/cli/show_data.h"
#include "experiments/cli/text_table.h"

namespace dspark {
namespace {

/// "users=64": the values of the other axes, each after the last word of its path.
std::string setting_text(const PolicyComparison& comparison, std::size_t setting) {
  std::string text;
  for (std::size_t axis = 0; axis < comparison.axes.size(); ++axis) {
    const std::string& path = comparison.axes[axis];
    text += fmt::format("{}{}={}", axis == 0 ? "" : ", ", path.substr(path.rfind('.') + 1),
                        comparison.settings[setting][axis]);
  }
  return text.empty() ? "all" : text;
}

/// The policies as written, or shortened where they are long and can still be told apart; --csv has them
/// whole.
std::vector<std::string> policy_labels(const PolicyComparison& comparison) {
  constexpr std::size_t kLongest = 44;
  std::vector<std::string> labels;
  for (const std::string& policy : comparison.policies) {
    labels.push_back(policy.size() <= kLongest ? policy : policy.substr(0, kLongest - 1) + "…");
    if (std::count(labels.begin(), labels.end(), labels.back()) > 1) return comparison.policies;
  }
  return labels;
}

std::string percent(double share) { return std::isnan(share) ? "-" : fmt::format("{:+.1f} %", share * 100); }

std::string gain_text(double share) { return std::isnan(share) ? "-" : fmt::format("{:.0f} %", share * 100); }

/// The p value, and a mark where it is significant; blank marks keep the digits aligned.
std::string p_text(const ComparedPolicy& row) {
  const double p = row.p_adjusted;
  if (std::isnan(p)) return "- ";
  const std::string digits = p == 0 ? "0" : p < 0.0005 ? fmt::format("{:.0e}", p) : fmt::format("{:.3f}", p);
  return digits + (row.significant ? "*" : " ");
}

constexpr const char* kNotLossless = " (not lossless)";

/// One line per policy and one column per setting, each cell written by `cell`.
template <class CellText>
std::string overview(const PolicyComparison& comparison, std::size_t width, CellText cell) {
  std::vector<Row> rows{{"policy"}};
  for (std::size_t setting = 0; setting < comparison.settings.size(); ++setting) {
    rows[0].push_back(setting_text(comparison, setting) + " ");
  }
  for (const std::string& label : policy_labels(comparison)) {
    rows.emplace_back(rows[0].size(), "- ");
    rows.back()[0] = label;
  }
  for (const ComparedPolicy& row : comparison.rows) {
    Row& line = rows[row.policy + 1];
    line[row.setting + 1] = cell(row);
    if (!row.lossless && !line[0].ends_with(kNotLossless)) line[0] += kNotLossless;
  }
  return aligned(rows, 1, width);
}

/// Whether any policy has a share of the oracle's gain.
bool has_shares(const PolicyComparison& comparison) {
  return std::any_of(comparison.rows.begin(), comparison.rows.end(),
                     [](const ComparedPolicy& row) { return !std::isnan(row.share_of_oracle_gain); });
}

/// The policies under one setting, from the highest mean down.
std::string setting_table(const PolicyComparison& comparison, std::size_t setting) {
  std::vector<const ComparedPolicy*> ranked;
  for (const ComparedPolicy& row : comparison.rows) {
    if (row.setting == setting) ranked.push_back(&row);
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const ComparedPolicy* a, const ComparedPolicy* b) {
    return std::isnan(b->mean) ? !std::isnan(a->mean) : a->mean > b->mean;
  });
  const bool shares = has_shares(comparison);
  const std::vector<std::string> labels = policy_labels(comparison);
  const std::string unit = comparison.unit == "1" ? std::string() : " [" + comparison.unit + "]";
  std::vector<Row> rows{{"policy", comparison.metric + unit, "difference", "95 % interval", "p (Holm) "}};
  if (shares) rows[0].push_back("share of gain");
  rows[0].insert(rows[0].end(), {"wasted", "lossless"});
  for (const ComparedPolicy* row : ranked) {
    const Interval& d = row->difference;
    Row line{labels[row->policy], number(row->mean), row->is_baseline ? "baseline" : percent(d.mean),
             std::isnan(d.low) ? "-" : percent(d.low) + " .. " + percent(d.high), p_text(*row)};
    if (shares) line.push_back(gain_text(row->share_of_oracle_gain));
    const double wasted = row->wasted_per_output_token;
    line.push_back(std::isnan(wasted) ? "-" : fmt::format("{:.2f}", wasted));
    line.push_back(row->lossless ? "yes" : "no");
    rows.push_back(std::move(line));
  }
  return setting_text(comparison, setting) + "\n" + aligned(rows, 1, 200) + "\n";
}

}  // namespace

std::string comparison_text(const PolicyComparison& comparison, std::size_t width) {
  const auto at = std::find(comparison.policies.begin(), comparison.policies.end(), comparison.baseline);
  const std::string baseline =
      policy_labels(comparison)[static_cast<std::size_t>(at - comparison.policies.begin())];
  std::string text = fmt::format(
      "{} against {}: mean of policy / baseline - 1 within each replication\n"
      "* significant: p <= {} after Holm's correction over the {} comparisons, all policies and columns\n",
      comparison.metric, baseline, kSignificanceLevel, comparison.family);
  text += overview(comparison, width, [](const ComparedPolicy& row) {
    return row.is_baseline ? std::string("baseline ")
                           : percent(row.difference.mean) + (row.significant ? "*" : " ");
  });
  if (has_shares(comparison)) {
    text +=
        "\nshare of the oracle's gain: (policy - baseline) / (oracle - baseline), where that gain is clear\n";
    text += overview(comparison, width, [](const ComparedPolicy& row) {
      return row.is_baseline ? std::string("baseline ") : gain_text(row.share_of_oracle_gain) + " ";
    });
  }
  text += fmt::format(
      "\nby {}, from the highest down; the 95 % interval is of each difference alone; p: paired t test, "
      "adjusted;\n"
      "wasted: verified and rejected draft tokens per output token\n\n",
      comparison.metric);
  for (std::size_t setting = 0; setting < comparison.settings.size(); ++setting) {
    text += setting_table(comparison, setting);
  }
  return text;
}

}  // namespace dspark
