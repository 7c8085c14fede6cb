#include <fmt/format.h>

#include "experiments/cli/plan_report.h"
#include "experiments/cli/text_table.h"

namespace dspark {
namespace {

constexpr std::size_t kWidth = 200;

double saved_share(std::int64_t before, std::int64_t after) {
  return 100 * (1 - static_cast<double>(after) / static_cast<double>(before));
}

std::string headline(const PlanFile& file, const PlanAnswer& answer) {
  const std::string& policy = file.candidates[answer.best->candidate].policy;
  if (!answer.baseline) {
    std::string text = fmt::format("You need {} GPUs with {}.\n", answer.best->size.chips, policy);
    if (!file.baseline.empty())
      text += fmt::format("With {} no number of them keeps the promise.\n", file.baseline);
    return text;
  }
  std::string text = fmt::format("You need {} GPUs with {}; with {} {}", answer.baseline->size.chips,
                                 file.baseline, policy, answer.best->size.chips);
  if (answer.demand) text += fmt::format("; if demand responds as assumed, {}", answer.demand->chips);
  return text + ".\n";
}

Row plan_row(const char* what, const PlanFile& file, const Plan& plan) {
  const NamedCandidate& candidate = file.candidates[plan.candidate];
  return {
      what,
      candidate.policy,
      candidate.machine,
      std::to_string(candidate.max_num_seqs),
      fmt::format("{:.2f}", plan.capacity),
      fmt::format("{} + {}", plan.size.serving, plan.size.replicas - plan.size.serving),
      std::to_string(plan.size.chips),
      candidate.hardware.dollars_per_gpu_hour > 0 ? fmt::format("{:.2f}", plan.size.dollars_per_hour) : "-",
      candidate.hardware.active_watts > 0 ? fmt::format("{:.2f}", plan.size.kilowatts) : "-"};
}

std::string plans_text(const PlanFile& file, const PlanAnswer& answer) {
  std::vector<Row> rows = {
      {"", "policy", "machine", "max_num_seqs", "requests/s each", "replicas", "GPUs", "$/h", "kW at peak"}};
  rows.push_back(plan_row("best", file, *answer.best));
  if (answer.runner_up) rows.push_back(plan_row("runner-up", file, *answer.runner_up));
  if (answer.baseline) rows.push_back(plan_row("today", file, *answer.baseline));
  return aligned(rows, 3, kWidth);
}

std::string saving_text(const PlanFile& file, const PlanAnswer& answer) {
  if (!answer.baseline) return "";
  const std::int64_t before = answer.baseline->size.chips, after = answer.best->size.chips;
  std::vector<Row> rows = {{"", "requests/s", "GPUs", "saved"}};
  rows.push_back(
      {file.baseline + " today", fmt::format("{:.4g}", file.request.peak), std::to_string(before), ""});
  rows.push_back({"the best at constant demand", fmt::format("{:.4g}", file.request.peak),
                  std::to_string(after),
                  fmt::format("{} ({:.1f} %)", before - after, saved_share(before, after))});
  if (answer.demand) {
    rows.push_back({"the best at expected demand",
                    fmt::format("{:.4g}", file.request.peak * answer.demand->requests_ratio),
                    std::to_string(answer.demand->chips),
                    fmt::format("{} ({:.1f} %)", before - answer.demand->chips,
                                saved_share(before, answer.demand->chips))});
  }
  std::string text = "\n" + aligned(rows, 1, kWidth);
  if (!answer.demand) return text;
  text +=
      fmt::format("A request costs {:.4f} of what it did, in continuous capacity", answer.demand->cost_ratio);
  text += answer.demand->rebound ? fmt::format("; rebound R = {:.3f}.\n", *answer.demand->rebound)
                                 : std::string("; nothing is saved, so there is no R.\n");
  for (const Assumption& a : file.demand->assumptions) {
    text += fmt::format("  {} {:.4g}: {}\n", a.what, a.value, a.source.empty() ? "assumption" : a.source);
    if (!a.caveat.empty()) text += fmt::format("    but: {}\n", a.caveat);
  }
  return text;
}

std::string check_text(const PlanFile& file, const PlanAnswer& answer) {
  const Plan& plan = *answer.best;
  const CandidateState& state = answer.states[plan.candidate];
  std::string text = fmt::format(
      "\nSimulated again with new seeds, {:.4g} requests/s on each of {} replicas ({} replications): the "
      "promise is met with {:.4g} % confidence.\n",
      file.request.peak / static_cast<double>(plan.size.serving), plan.size.serving,
      state.check->replications, 100 * file.request.confidence);
  std::vector<Row> rows = {{"", "found", "limit", "margin", "standard error"}};
  for (std::size_t i = 0; i < file.limits.size(); ++i) {
    const ServiceLimit& limit = file.limits[i];
    const MarginEstimate& found = state.check->margins[i];
    const double unit = limit.quantity == ServiceLimit::Quantity::kUserSpeed ? 1 : 1e3;
    rows.push_back({limit.name, fmt::format("{:.4g}", found.value * unit),
                    fmt::format("{:.4g}", limit.limit * unit), fmt::format("{:+.4f}", found.mean),
                    fmt::format("{:.4f}", found.standard_error)});
  }
  text += aligned(rows, 1, kWidth);
  if (state.demoted > 0)
    text += fmt::format("Replicas added because a check with new seeds did not confirm fewer: {}.\n",
                        state.demoted);
  if (file.forecast_error > 0) {
    text += fmt::format("If the peak is off by {:.4g} %: {} GPUs at {:.4g} requests/s, {} at {:.4g}.\n",
                        100 * file.forecast_error, plan.chips_if_less,
                        file.request.peak * (1 - file.forecast_error), plan.chips_if_more,
                        file.request.peak * (1 + file.forecast_error));
  }
  if (file.rates.size() > 1) {
    text +=
        fmt::format("Through the day the plan serves {:.4g} requests/s on average, {:.1f} % of the peak.\n",
                    file.mean_rate(), 100 * file.mean_rate() / file.request.peak);
  }
  return text;
}

std::string losers_text(const PlanFile& file, const PlanAnswer& answer) {
  if (answer.losers.empty()) return "";
  std::vector<Row> rows = {{"policy", "machine", "max_num_seqs", "requests/s each", "why"}};
  for (const LostCandidate& loser : answer.losers) {
    const NamedCandidate& candidate = file.candidates[loser.candidate];
    const CandidateState& state = answer.states[loser.candidate];
    std::string capacity = "none";
    if (!loser.unreachable && state.search) {
      const double least = state.search->largest_met(), most = state.search->bound();
      capacity = least == most ? fmt::format("{:.2f}", least) : fmt::format("{:.2f} .. {:.2f}", least, most);
    }
    rows.push_back(
        {candidate.policy, candidate.machine, std::to_string(candidate.max_num_seqs), capacity, loser.why});
  }
  std::string text = "\nThe others, best first (a range: refined until it had lost):\n";
  return text + aligned(rows, 5, kWidth + 200);
}

}  // namespace

std::string plan_text(const PlanFile& file, const PlanAnswer& answer) {
  std::string text = file.title.empty() ? "" : file.title + "\n\n";
  if (answer.best) {
    text += headline(file, answer) + "\n" + plans_text(file, answer) + saving_text(file, answer) +
            check_text(file, answer);
  } else {
    text += "No plan: none of the candidates keeps the promise at any load.\n";
  }
  text += losers_text(file, answer);
  return text + fmt::format("\n{} loads tested with {} replications.\n", answer.tests, answer.replications);
}

}  // namespace dspark
