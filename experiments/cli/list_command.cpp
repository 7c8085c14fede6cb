#include <fmt/format.h>

#include <algorithm>

#include "experiments/cli/checked_policy.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/exit_code.h"
#include "experiments/cli/report.h"
#include "experiments/planning/plan_file.h"
#include "experiments/schema/experiment.h"
#include "experiments/schema/machines.h"
#include "experiments/schema/market_file.h"
#include "policies/nearest_name.h"
#include "sim/scenario.h"

namespace dspark {
namespace {

/// Which kinds of the catalogue a word of the command line means; the order is that of the output.
struct Section {
  std::string word;
  std::string kind;
  std::string heading;
};
const std::vector<Section> kSections{
    {"policies", "policy", "Depth policies (policy)"},
    {"policies", "batching", "Batching policies (engine.batching)"},
    {"policies", "confidence", "Confidences that policies see (confidence)"},
    {"workloads", "arrivals", "Arrivals (workload.arrivals)"},
    {"workloads", "lengths", "Token counts (workload.prompt_tokens, workload.output_tokens)"},
    {"machines", "machine", "Machines (machine)"},
    {"machines", "acceptance", "Acceptance models and presets (machine.modelled.acceptance)"},
    {"markets", "demand", "Forms of demand (dspark equilibrium: segments.NAME.volume)"},
    {"markets", "latency", "Responses to waiting (segments.NAME.latency)"},
    {"markets", "elasticity", "Price elasticities by name (elasticity)"},
    {"markets", "supply", "Supplies (supply)"},
};

std::string requirement(const ParameterRecord& p) {
  if (!p.default_value.empty()) return "default " + p.default_value;
  return p.optional ? "optional" : "required";
}

void add_parameters(std::string& text, const std::vector<ParameterRecord>& parameters, std::size_t indent) {
  for (const ParameterRecord& p : parameters) {
    std::string facts = p.type;
    if (!p.unit.empty()) facts += ", " + p.unit;
    if (!p.range.empty()) facts += ", " + p.range;
    text += fmt::format("{:{}}{}: {} ({}; {})\n", "", indent, p.name, p.meaning, facts, requirement(p));
    add_parameters(text, p.members, indent + 2);
  }
}

/// Text in a Markdown table's cell.
std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
  return text;
}

void add_markdown_rows(std::string& text, const std::vector<ParameterRecord>& parameters,
                       const std::string& prefix) {
  for (const ParameterRecord& p : parameters) {
    text += fmt::format("| `{}{}` | {} | {} | {} | {} | {} |\n", prefix, p.name, cell(p.type), cell(p.unit),
                        cell(p.range), cell(requirement(p)), cell(p.meaning));
    add_markdown_rows(text, p.members, prefix + p.name + ".");
  }
}

void add_markdown_table(std::string& text, const std::vector<ParameterRecord>& parameters) {
  if (parameters.empty()) return;
  text += "\n| parameter | type | unit | range | default | meaning |\n|---|---|---|---|---|---|\n";
  add_markdown_rows(text, parameters, "");
}

/// What a short check says of a policy with its defaults; `dspark check-lossless` says it of any form, at
/// length.
std::string output_note(const std::string& policy) {
  Errors errors;
  const auto checked = read_checked_policy(checked_form(policy), errors);
  if (!checked) return "";
  const LosslessVerdict verdict =
      check_lossless(checked->make, ConfidenceSource::kConfidence, {},
                     {.grid_tables = 27, .states_by_round = 2, .long_histories = 1, .long_rounds = 20});
  switch (verdict.kind) {
    case LosslessVerdict::Kind::kProved:
      return " Keeps the output (proved).";
    case LosslessVerdict::Kind::kNoViolation:
      return " Keeps the output (no violation found).";
    default:
      return " Changes the output (exposed).";
  }
}

std::string entry_text(const CatalogueEntry& entry, bool markdown) {
  const std::string note = entry.kind == "policy" ? output_note(entry.name) : "";
  std::string text;
  if (markdown) {
    text = fmt::format("\n### `{}`\n\n{}.{}\n", entry.name, entry.meaning, note);
    add_markdown_table(text, entry.parameters);
  } else {
    text = fmt::format("  {}  {}.{}\n", entry.name, entry.meaning, note);
    add_parameters(text, entry.parameters, 6);
  }
  return text;
}

std::string heading_text(const std::string& heading, bool markdown) {
  return markdown ? fmt::format("\n## {}\n", heading) : fmt::format("{}\n", heading);
}

std::string parameters_text(const std::string& heading, const std::vector<ParameterRecord>& records,
                            bool markdown) {
  std::string text = heading_text(heading, markdown);
  if (markdown) {
    add_markdown_table(text, records);
  } else {
    add_parameters(text, records, 2);
  }
  return text + (markdown ? "" : "\n");
}

std::string metrics_text(bool markdown) {
  std::string text = heading_text("Metrics", markdown);
  if (markdown) text += "\n| metric | unit | meaning |\n|---|---|---|\n";
  for (const MetricInfo& metric : metric_catalogue()) {
    const std::string name = metric.name + (metric.by_position ? ".k" : "");
    text += markdown ? fmt::format("| `{}` | {} | {} |\n", name, cell(metric.unit), cell(metric.description))
                     : fmt::format("  {} [{}]  {}\n", name, metric.unit, metric.description);
  }
  return text;
}

}  // namespace

int list_command(const std::string& what, bool markdown) {
  static const std::vector<std::string> kWords{"policies", "workloads", "machines", "markets",
                                               "plans",    "metrics",   "all"};
  if (std::find(kWords.begin(), kWords.end(), what) == kWords.end()) {
    print_error({fmt::format("there is no list of '{}'", what), {}, known_names_advice(what, kWords)});
    return kInvalidInput;
  }
  const bool all = what == "all";
  const std::vector<MachineEntry> machines = real_machines("");
  std::string text = markdown ? "<!-- Made by `dspark list --markdown`; do not edit. -->\n" : "";
  if (all) {
    text += parameters_text("Experiment", describe_experiment(), markdown);
    text += parameters_text("Machine, engine, workload, policy and stop rule", describe_scenario(machines),
                            markdown);
  }
  if (all || what == "markets")
    text += parameters_text("Market (dspark equilibrium; with growth: dspark grow)", describe_market_file(),
                            markdown);
  if (all || what == "plans") text += parameters_text("Plan (dspark plan)", describe_plan_file(), markdown);
  std::vector<CatalogueEntry> entries = catalogue(machines);
  for (CatalogueEntry& entry : market_catalogue()) entries.push_back(std::move(entry));
  for (const Section& section : kSections) {
    if (!all && section.word != what) continue;
    std::string body;
    for (const CatalogueEntry& entry : entries) {
      if (entry.kind == section.kind) body += entry_text(entry, markdown);
    }
    if (!body.empty()) text += heading_text(section.heading, markdown) + body + (markdown ? "" : "\n");
  }
  if (all || what == "metrics") text += metrics_text(markdown);
  return print_output(text) ? kDone : kMachineCannot;
}

}  // namespace dspark
