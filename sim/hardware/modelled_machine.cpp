#include "sim/hardware/modelled_machine.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/acceptance/latent_acceptance.h"
#include "sim/acceptance/position_effects.h"
#include "sim/acceptance/survival_presets.h"
#include "sim/hardware/single_user_fit.h"
#include "sim/hardware/step_cost_parameters.h"

namespace dspark {
namespace {

/// One way to say how drafts fare: a table, or the name of a published one. Empty after an error.
std::vector<double> read_survival(Parameters& group) {
  group.exclude("survival", "preset");
  if (group.given("preset") || group.is_describing()) {
    const std::string name = group.choice("preset", {.options = survival_preset_names(),
                                                     .meaning = "instead of `survival`, a published "
                                                                "one: target/drafter/domain"});
    for (const SurvivalPreset& preset : survival_presets()) {
      if (preset.name == name && !group.is_describing()) return survival_of(preset.conditional);
    }
    if (!group.is_describing()) return {};
  }
  const std::size_t errors_before = group.errors().size();
  std::vector<double> survival = group.numbers(
      "survival",
      {.min = 0,
       .max = 1,
       .min_count = 1,
       .max_count = 64,
       .meaning = "probability that the first k draft tokens are all accepted, by k; or `preset`"});
  if (group.errors().size() > errors_before) return {};
  for (std::size_t k = 0; k < survival.size(); ++k) {
    if (survival[k] <= 0 || (k > 0 && survival[k] > survival[k - 1])) {
      group.add_error(
          fmt::format("survival at position {} must be above 0 and not above the one before", k + 1),
          group.position_of("survival"), "these are unconditional, so they never rise");
      return {};
    }
  }
  return survival;
}

/// Rows beyond the trained block: each conditional acceptance falls by `decay`.
void extend(std::vector<double>& survival, int block_size, double decay) {
  double conditional = survival.size() > 1 ? survival.back() / survival[survival.size() - 2] : survival[0];
  while (static_cast<int>(survival.size()) < block_size) {
    conditional *= decay;
    survival.push_back(survival.back() * conditional);
  }
}

struct AcceptanceParameters {
  LatentSpread spread;
  Miscalibration miscalibration;
  double auc = 0;
  double signal_noise = 0;
  int block_size = 0;
};

AcceptanceParameters read_acceptance_parameters(Parameters& group) {
  AcceptanceParameters p;
  p.auc = group.number("auc",
                       {.min = 0.52,
                        .max = 0.99,
                        .default_value = 0.85,
                        .meaning = "how well survival tells accepted prefixes from rejected ones, mean over "
                                   "positions (published heads: 0.81 .. 0.91)"});
  p.spread.between_request_share = group.number(
      "between_request_share", {.min = 0,
                                .max = 1,
                                .default_value = 0.1,
                                .meaning = "share of the latent's variance that lies between requests"});
  p.spread.text_share = group.number(
      "text_share",
      {.min = 0, .max = 1, .default_value = 0.4, .meaning = "share that varies slowly along a text"});
  if (p.spread.between_request_share + p.spread.text_share > 1) {
    group.add_error("between_request_share and text_share add up to more than 1",
                    group.position_of("text_share"));
  }
  p.spread.text_correlation_tokens = static_cast<int>(
      group.integer("text_correlation_tokens", {.min = 1,
                                                .max = 4096,
                                                .default_value = 8,
                                                .unit = "tokens",
                                                .meaning = "length over which a text's difficulty changes"}));
  p.signal_noise =
      group.number("signal_noise", {.min = 0,
                                    .max = 10,
                                    .default_value = 0.7,
                                    .meaning = "noise of top-1, margin and entropy, in logits of the "
                                               "latent that the confidence sees exactly"});
  Parameters miscalibration =
      group.group("miscalibration", "distortion of the confidence: logistic(logit / T + b)");
  p.miscalibration.temperature = miscalibration.number(
      "temperature",
      {.min = 0.05, .max = 20, .default_value = 1, .meaning = "T; below 1: overconfident both ways"});
  p.miscalibration.bias = miscalibration.number(
      "bias", {.min = -10, .max = 10, .default_value = 0, .unit = "logits", .meaning = "b"});
  p.block_size = static_cast<int>(group.integer(
      "block_size", {.min = 0,
                     .max = 64,
                     .default_value = 0,
                     .unit = "tokens",
                     .meaning = "γ, the drafter's largest block; 0: as long as the survival table"}));
  return p;
}

/// Only where a block goes on past a table: a factor that nothing is multiplied with would be ignored
/// silently.
double read_decay(Parameters& group) {
  return group.number(
      "beyond_trained_block",
      {.min = 0.01,
       .max = 1,
       .default_value = 0.7,
       .meaning = "with block_size above the table's length: factor on conditional acceptance for "
                  "each position past the table, where the drafter was not trained"});
}

/// Survival tables by domain, all of one length.
std::vector<std::vector<double>> read_tables(Parameters& group, const std::vector<std::string>& domains,
                                             const AcceptanceParameters& p) {
  std::vector<std::vector<double>> tables;
  if (group.is_describing()) {
    group.raw("by_domain", "map of domains",
              "where the workload has domains: `survival` or `preset` of each");
  }
  if (domains.empty()) {
    tables.push_back(read_survival(group));
  } else {
    Parameters by_domain = group.group("by_domain", "acceptance of each of the workload's domains", true);
    for (const std::string& domain : domains) {
      Parameters one = by_domain.group(domain, "acceptance in this domain", true);
      tables.push_back(read_survival(one));
    }
  }
  const bool failed = std::any_of(tables.begin(), tables.end(), [](const auto& t) { return t.empty(); });
  if (failed) return {};
  std::size_t longest = 0, shortest = tables[0].size();
  for (const auto& table : tables) {
    longest = std::max(longest, table.size());
    shortest = std::min(shortest, table.size());
  }
  const int block_size = p.block_size == 0 ? static_cast<int>(longest) : p.block_size;
  const double decay =
      static_cast<int>(shortest) < block_size || group.is_describing() ? read_decay(group) : 1;
  for (auto& table : tables) {
    if (static_cast<int>(table.size()) > block_size) {
      group.add_error(fmt::format("a survival table of {} positions does not fit block_size {}", table.size(),
                                  block_size),
                      group.position_of("block_size"));
      return {};
    }
    extend(table, block_size, decay);
  }
  return tables;
}

std::shared_ptr<const AcceptanceModel> solve(Parameters& group,
                                             const std::vector<std::vector<double>>& tables,
                                             const AcceptanceParameters& p, std::vector<FitLine>& fits) {
  std::vector<DomainLatent> latents;
  for (const auto& table : tables) {
    const auto solved = remembered_position_effects(table, p.auc, p.spread);
    if (!solved) {
      Error error = solved.error();
      error.position = group.given("auc") ? group.position_of("auc") : group.position();
      group.add_error(std::move(error));
      return nullptr;
    }
    fits.push_back({"auc of the confidence's survival", "fitted", "1", p.auc, solved->auc});
    latents.push_back(solved->latent);
  }
  return std::make_shared<LatentAcceptance>(latents, p.spread, p.miscalibration, p.signal_noise);
}

/// Reads `single_user_fit` and solves it; points of a sweep that differ elsewhere share the solution.
std::shared_ptr<const AcceptanceModel> read_single_user_fit(Parameters& parameters,
                                                            const AcceptanceParameters& p,
                                                            StepCost::Parts& parts,
                                                            std::vector<FitLine>& fits) {
  Parameters fit =
      parameters.group("single_user_fit", "solve step overhead and survival from speeds of one user");
  const Position position = fit.position_of("speeds");
  const std::size_t errors_before = parameters.errors().size();
  InputFile file =
      fit.file("speeds", "CSV with columns policy (none, k1, …), concurrency (1), user_tokens_per_s");
  std::vector<std::string> fitted;
  if (const Value* names =
          fit.raw("fitted", "list of none, k1, …", "speeds to fit; the others are predicted", false)) {
    if (names->list() == nullptr) {
      fit.add_error("'fitted' must be a list", names->position, "for example [none, k1, k3]");
    } else {
      for (const Value& name : *names->list()) fitted.push_back(name.scalar() ? *name.scalar() : "");
    }
  }
  if (file.content.empty() || parameters.errors().size() > errors_before) return nullptr;
  const auto table = CsvTable::parse(std::move(file));
  const auto speeds = table ? read_single_user_speeds(*table, fitted) : table.error();
  const int block_size = p.block_size == 0 ? 7 : p.block_size;
  auto solved =
      speeds ? fit_single_user(*speeds, StepCost(parts), block_size, p.auc, p.spread) : speeds.error();
  if (!solved) {
    Error error = solved.error();
    if (!error.position.source) error.position = position;
    fit.add_error(std::move(error));
    return nullptr;
  }
  parts.overhead_seconds = solved->overhead_seconds;
  fits = std::move(solved->lines);
  return std::make_shared<LatentAcceptance>(std::vector{solved->domain.latent}, p.spread, p.miscalibration,
                                            p.signal_noise);
}

}  // namespace

std::vector<std::string> survival_preset_names() {
  std::vector<std::string> names;
  for (const SurvivalPreset& preset : survival_presets()) names.push_back(preset.name);
  return names;
}

ModelledMachine read_modelled_machine(Parameters& parameters, const std::vector<std::string>& domains) {
  ModelledMachine machine;
  const bool fit = parameters.given("single_user_fit");
  const std::size_t errors_before = parameters.errors().size();
  StepCost::Parts parts = read_step_cost(parameters, fit);
  Parameters kv = parameters.group("kv", "paged KV cache");
  machine.kv_blocks = static_cast<int>(kv.integer(
      "blocks",
      {.min = 1, .max = 1 << 26, .default_value = 65536, .unit = "blocks", .meaning = "blocks in all"}));
  machine.block_tokens = static_cast<int>(kv.integer(
      "block_tokens",
      {.min = 1, .max = 1 << 16, .default_value = 64, .unit = "tokens", .meaning = "tokens of a block"}));
  Parameters group = parameters.group("acceptance", "how drafts fare", true);
  const AcceptanceParameters p = read_acceptance_parameters(group);
  if (fit && !domains.empty()) {
    parameters.add_error("single_user_fit knows one domain, the workload has several",
                         parameters.position_of("single_user_fit"));
  }
  const auto readable = [&] { return parameters.errors().size() == errors_before; };
  if (fit || parameters.is_describing()) {
    if (readable()) machine.acceptance = read_single_user_fit(parameters, p, parts, machine.fits);
  }
  if (!fit) {
    const auto tables = read_tables(group, domains, p);
    if (!tables.empty() && readable() && !parameters.is_describing()) {
      machine.acceptance = solve(group, tables, p, machine.fits);
    }
  }
  machine.cost = StepCost(parts);
  return machine;
}

}  // namespace dspark
