#include <fmt/format.h>

#include <algorithm>

#include "experiments/cli/equilibrium_report.h"
#include "experiments/cli/text_table.h"

namespace dspark {
namespace {

constexpr std::size_t kWidth = 100;
constexpr const char* kResourceNames[] = {"GPU-hours per hour", "$ per hour", "kWh per hour"};
constexpr const char* kChannelNames[] = {"more requests (volume)", "longer requests (intensity)",
                                         "new applications", "gain taken as speed (quality)"};
constexpr const char* kCauseNames[] = {"price", "latency and speed", "gain taken as speed (quality)"};

std::string share(const std::optional<double>& value) { return value ? fmt::format("{:.4f}", *value) : "-"; }

std::string resources_text(const ReboundReport& report) {
  std::vector<Row> rows = {
      {"", "before", "same tasks, with the gain", "in equilibrium", "ratio", "rebound R"}};
  for (std::size_t k = 0; k < kResources; ++k) {
    const ResourceRebound& r = report.resources[k];
    rows.push_back({kResourceNames[k], number(r.baseline), number(r.engineering), number(r.equilibrium),
                    fmt::format("{:.4f}", r.ratio), share(r.rebound)});
  }
  return aligned(rows, 1, kWidth);
}

std::string verdict(const ReboundReport& report) {
  if (!report.no_rebound.empty()) {
    return fmt::format("No R: {}. Induced demand: {:.4f} times the tokens, {:.4f} times the GPU-hours.\n",
                       report.no_rebound, report.tokens_ratio, report.resources[kGpuHours].ratio);
  }
  const double r = *report.resources[kGpuHours].rebound;
  if (r > 1 + 1e-9) return "Backfire: more GPU-hours than before (Jevons).\n";
  if (r > 1 - 1e-9) return "Full rebound: usage takes back the whole saving of GPU-hours.\n";
  if (r < -1e-9) return "More is saved than engineering alone saves.\n";
  return fmt::format(
      "{:.1f} % of the engineering saving of GPU-hours is kept, {:.1f} % is taken back by usage.\n",
      100 * (1 - r), 100 * r);
}

template <std::size_t N>
void add_parts(std::vector<Row>& rows, const ReboundReport& report, const char* const (&names)[N],
               std::array<double, N> ResourceRebound::*parts) {
  for (std::size_t i = 0; i < N; ++i) {
    Row row = {names[i]};
    for (const ResourceRebound& r : report.resources)
      row.push_back(r.rebound ? fmt::format("{:.4f}", (r.*parts)[i]) : "-");
    rows.push_back(row);
  }
}

std::string attribution_text(const ReboundReport& report) {
  if (!report.attributed) return fmt::format("R is not split into channels: {}.\n", report.not_attributed);
  std::string text =
      report.of_shadow
          ? "Chips are fixed, so R is 1 whatever is asked. With as many as hold the waiting of before\n"
            "(the shadow rebound), by channel, then by cause (Shapley values):\n"
          : "R by channel, then by cause (Shapley values; each column adds up to R):\n";
  std::vector<Row> rows = {{"", "GPU-hours", "dollars", "kWh"}};
  add_parts(rows, report, kChannelNames, &ResourceRebound::by_channel);
  rows.push_back({"--", "", "", ""});
  add_parts(rows, report, kCauseNames, &ResourceRebound::by_cause);
  return text + aligned(rows, 1, kWidth);
}

std::string market_text(const Market& market, const ReboundReport& report) {
  const MarketState& end = report.end->state;
  const MarketBaseline& base = market.baseline;
  std::vector<Row> rows = {{"", "before", "in equilibrium", "ratio"}};
  const auto add = [&](const char* name, double before, double after) {
    rows.push_back(
        {name, number(before), number(after), before > 0 ? fmt::format("{:.4f}", after / before) : "-"});
  };
  add("price, $ per million weighted tokens", base.price, end.price);
  add("requests per second", base.load.requests_per_second, end.load.requests_per_second);
  add("weighted tokens per second", base.load.tokens_per_second, end.load.tokens_per_second);
  add("GPU-seconds per request", base.point.gpus / base.load.requests_per_second,
      end.point.gpus / end.load.requests_per_second);
  add("user speed, tokens/s", base.point.user_speed, end.point.user_speed);
  add("waiting, s", base.point.waiting_seconds, end.point.waiting_seconds);
  add("busy share of the GPUs", base.point.busy_share, end.point.busy_share);
  return aligned(rows, 1, kWidth);
}

std::string facts_text(const ReboundReport& report) {
  std::string text =
      fmt::format("Price elasticity of all tokens at the baseline: {:.4f}.", report.price_elasticity);
  if (report.break_even_multiple) {
    text += fmt::format(" The saving of GPU-hours is gone at {:.4f} ({:.4f} times the assumed answers).\n",
                        *report.break_even_multiple * report.price_elasticity, *report.break_even_multiple);
  } else if (report.no_rebound.empty()) {
    text += " No multiple of the assumed answers up to 64 takes the saving of GPU-hours back.\n";
  } else {
    text += "\n";
  }
  if (report.pass_through != 0 || report.price_per_cost != 0) {
    text += fmt::format(
        "Pass-through of the cost: {:.4f} (d ln price / d ln cost); {:.4f} $ of price per $ of cost.\n",
        report.pass_through, report.price_per_cost);
  }
  text += fmt::format("Consumers' surplus changes by {} $ per hour.\n", number(report.surplus_per_hour));
  if (report.turned_away > 0) {
    text += fmt::format("{:.1f} % of the tokens demanded are turned away, all requests equally likely.\n",
                        100 * report.turned_away);
  }
  if (report.shadow_tokens_per_second) {
    const double shadow = *report.shadow_tokens_per_second, served = report.end->state.load.tokens_per_second;
    text += fmt::format(
        "Shadow demand: {} weighted tokens/s, with as many GPUs as hold the waiting of before; {:.1f} % of "
        "it is "
        "not served.\n",
        number(shadow), 100 * std::max(0.0, 1 - served / shadow));
  }
  return text;
}

}  // namespace

std::string operator_name(const OperatingRule& rule) {
  switch (rule.kind) {
    case OperatingRule::Kind::kHoldThroughput:
      return "hold_throughput";
    case OperatingRule::Kind::kReOptimise:
      return "re_optimise";
    default:
      return "hold_speed";
  }
}

std::string assumptions_text(const Market& market, const std::vector<Assumption>& more) {
  std::string text = "What this rests on:\n";
  for (const auto* list : {&market.assumptions, &more}) {
    for (const Assumption& a : *list) {
      text +=
          fmt::format("  {} {}: {}\n", a.what, number(a.value), a.source.empty() ? "assumption" : a.source);
      if (!a.caveat.empty()) text += fmt::format("      but: {}\n", a.caveat);
    }
  }
  text += "  volumes, lengths and the machine: as the file gives them, nothing backs them here\n";
  if (market.measured) {
    return text + fmt::format("  gain {}: measured on simulated surfaces; operator {}: assumption\n",
                              number(market.gain.gain), operator_name(market.rule));
  }
  return text + fmt::format("  gain {}, speed gain {}, operator {}: assumption\n", number(market.gain.gain),
                            number(market.gain.speed_gain), operator_name(market.rule));
}

std::string existence_text(const Equilibria& equilibria) {
  switch (equilibria.existence) {
    case Existence::kRationed:
      return "No equilibrium without turning requests away: the GPUs serve less than is asked for at any "
             "waiting.\n";
    case Existence::kAlternates:
      return fmt::format(
          "No equilibrium: the market alternates between {:.0f} and {:.0f} GPUs. With the fewer, more is "
          "asked for "
          "than they serve; what the one more costs drives demand back.\n",
          equilibria.fewer_gpus, equilibria.more_gpus);
    case Existence::kRunsAway:
      return "No equilibrium found: demand exceeds what is served wherever it was looked for (up to a "
             "million times "
             "the baseline).\n";
    case Existence::kVanishes:
      return "No equilibrium found: demand is below what is served wherever it was looked for.\n";
    case Existence::kFound:
      break;
  }
  std::string text = fmt::format("Equilibria found (there may be others): {}\n", equilibria.found.size());
  for (const FixedPoint& point : equilibria.found) {
    text += fmt::format("  {} weighted tokens/s, slope {:.4f} round the loop: {}\n",
                        number(point.state.load.tokens_per_second), point.slope,
                        point.tips() ? "unstable, demand tips away"
                        : point.largest_adjustment() < 1
                            ? fmt::format("stable only where at most {:.2f} of the gap is closed per period",
                                          point.largest_adjustment())
                            : "stable");
  }
  return text;
}

std::string equilibrium_text(const Market& market, const ReboundReport& report) {
  std::string text = market.title.empty() ? std::string() : market.title + "\n\n";
  if (!report.end) return text + existence_text(report.equilibria) + "\n" + assumptions_text(market, {});
  text += resources_text(report) + verdict(report) + "\n";
  text += market_text(market, report) + "\n";
  if (report.no_rebound.empty()) text += attribution_text(report) + "\n";
  text += facts_text(report) + existence_text(report.equilibria) + "\n";
  return text + assumptions_text(market, {});
}

}  // namespace dspark
