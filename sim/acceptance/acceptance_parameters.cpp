#include "sim/acceptance/acceptance_parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "sim/acceptance/position_effects.h"
#include "sim/acceptance/recorded_acceptance_parameters.h"
#include "sim/acceptance/survival_parameters.h"
#include "sim/acceptance/survival_presets.h"

namespace dspark {
namespace {

LatentSpread read_spread(Parameters& group) {
  LatentSpread spread;
  spread.between_request_share = group.number(
      "between_request_share", {.min = 0,
                                .max = 1,
                                .default_value = 0.1,
                                .meaning = "share of the latent's variance that lies between requests"});
  spread.text_share = group.number(
      "text_share",
      {.min = 0, .max = 1, .default_value = 0.4, .meaning = "share that varies slowly along a text"});
  if (spread.between_request_share + spread.text_share > 1) {
    group.add_error("between_request_share and text_share add up to more than 1",
                    group.position_of("text_share"));
  }
  spread.text_correlation_tokens = static_cast<int>(
      group.integer("text_correlation_tokens", {.min = 1,
                                                .max = 4096,
                                                .default_value = 8,
                                                .unit = "tokens",
                                                .meaning = "length over which a text's difficulty changes"}));
  return spread;
}

std::optional<TextStructure> read_structure(Parameters& parent) {
  for (const char* share : {"between_request_share", "text_share"}) parent.exclude(share, "text_structure");
  if (!parent.given("text_structure") && !parent.is_describing()) return std::nullopt;
  Parameters group = parent.group(
      "text_structure", "instead of the shares: what was measured along text, which they are solved from");
  TextStructure structure;
  structure.between_request_sd = group.number(
      "between_request_sd",
      {.min = 0, .max = 0.5, .meaning = "spread of the requests' own acceptance of the first draft token"});
  structure.round_correlation = group.number(
      "round_correlation",
      {.min = 0, .max = 0.99, .meaning = "correlation of its acceptance between consecutive rounds"});
  return structure;
}

Miscalibration read_miscalibration(Parameters& parent) {
  Parameters group = parent.group("miscalibration", "distortion of the confidence: logistic(logit / T + b)");
  Miscalibration distortion;
  distortion.temperature = group.number(
      "temperature",
      {.min = 0.05, .max = 20, .default_value = 1, .meaning = "T; below 1: overconfident both ways"});
  distortion.bias =
      group.number("bias", {.min = -10, .max = 10, .default_value = 0, .unit = "logits", .meaning = "b"});
  return distortion;
}

AcceptanceShift read_shift(Parameters& parent) {
  Parameters group =
      parent.group("shift", "how acceptance moves away from where the drafter was trained, in logits");
  AcceptanceShift shift;
  shift.logits_per_context_doubling = group.number(
      "per_context_doubling", {.min = -10,
                               .max = 10,
                               .default_value = 0,
                               .unit = "logits",
                               .meaning = "for each doubling of the context beyond trained_context_tokens"});
  shift.trained_context_tokens = static_cast<int>(group.integer(
      "trained_context_tokens",
      {.min = 1, .max = 1 << 24, .default_value = 4096, .unit = "tokens", .meaning = "see above"}));
  shift.logits_per_temperature =
      group.number("per_temperature", {.min = -20,
                                       .max = 20,
                                       .default_value = 0,
                                       .unit = "logits",
                                       .meaning = "for each unit of sampling temperature above "
                                                  "trained_temperature (workload.temperature)"});
  shift.trained_temperature =
      group.number("trained_temperature", {.min = 0, .max = 10, .default_value = 1, .meaning = "see above"});
  shift.seen_share = group.number(
      "seen_share", {.min = 0,
                     .max = 1,
                     .default_value = 0,
                     .meaning = "share of the shift that the confidence follows; 1: it stays calibrated"});
  return shift;
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

/// Rows beyond the trained block: each conditional acceptance falls by `decay`.
void extend(std::vector<double>& survival, int block_size, double decay) {
  double conditional = survival.size() > 1 ? survival.back() / survival[survival.size() - 2] : survival[0];
  while (static_cast<int>(survival.size()) < block_size) {
    conditional *= decay;
    survival.push_back(survival.back() * conditional);
  }
}

/// Curves and distortions by domain.
struct DomainCurves {
  std::vector<std::vector<double>> survival;  // all of one length
  std::vector<Miscalibration> miscalibration;
};

DomainCurves read_curves(Parameters& group, const std::vector<std::string>& domains,
                         const AcceptanceParameters& p, std::vector<FitLine>& fits) {
  DomainCurves curves;
  if (group.is_describing()) {
    group.raw(
        "by_domain", "map of domains",
        "where the workload has domains: `survival`, `preset` or `accepted_lengths` of each, and its own "
        "`miscalibration`");
  }
  if (domains.empty()) {
    curves.survival.push_back(read_survival(group, p.block_size, "", fits));
    curves.miscalibration.push_back(p.miscalibration);
  } else {
    Parameters by_domain = group.group("by_domain", "acceptance of each of the workload's domains", true);
    for (const std::string& domain : domains) {
      Parameters one = by_domain.group(domain, "acceptance in this domain", true);
      curves.survival.push_back(read_survival(one, p.block_size, ", " + domain, fits));
      curves.miscalibration.push_back(one.given("miscalibration") ? read_miscalibration(one)
                                                                  : p.miscalibration);
    }
  }
  auto& tables = curves.survival;
  if (std::any_of(tables.begin(), tables.end(), [](const auto& t) { return t.empty(); })) return {};
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
  return curves;
}

/// The structure that was written, or came with the preset.
std::optional<TextStructure> structure_of(Parameters& group, const AcceptanceParameters& p,
                                          const std::vector<std::string>& domains) {
  if (p.structure && !domains.empty()) {
    group.add_error("'text_structure' knows one domain, the workload has several",
                    group.position_of("text_structure"), "give between_request_share and text_share");
  }
  if (p.structure || !domains.empty() || p.shares_given || !group.given("preset")) return p.structure;
  const std::string name = group.choice("preset", {.options = survival_preset_names()});
  for (const SurvivalPreset& preset : survival_presets()) {
    if (preset.name == name) return preset.structure;
  }
  return std::nullopt;
}

void add_unsolved(Parameters& group, Error error) {
  error.position = group.given("auc") ? group.position_of("auc") : group.position();
  group.add_error(std::move(error));
}

std::shared_ptr<const AcceptanceModel> with_structure(Parameters& group, const AcceptanceParameters& p,
                                                      const TextStructure& wanted, DomainCurves& curves,
                                                      std::vector<FitLine>& fits) {
  const auto solved =
      solve_text_structure(curves.survival[0], p.auc, wanted, p.spread.text_correlation_tokens);
  if (!solved) {
    add_unsolved(group, solved.error());
    return nullptr;
  }
  const std::string preset =
      group.given("preset") ? ", " + group.choice("preset", {.options = survival_preset_names()}) : "";
  fits.push_back({"auc of the confidence's survival" + preset, "fitted", "1", p.auc, solved->domain.auc});
  fits.push_back({"spread of acceptance between requests" + preset, "fitted", "1", wanted.between_request_sd,
                  solved->reached.between_request_sd});
  fits.push_back({"correlation between consecutive rounds" + preset, "fitted", "1", wanted.round_correlation,
                  solved->reached.round_correlation});
  return std::make_shared<LatentAcceptance>(std::vector{solved->domain.latent}, solved->spread,
                                            std::move(curves.miscalibration), p.signal_noise, p.shift);
}

}  // namespace

AcceptanceParameters read_acceptance_parameters(Parameters& group) {
  AcceptanceParameters p;
  p.auc = group.number("auc",
                       {.min = 0.52,
                        .max = 0.99,
                        .default_value = 0.85,
                        .meaning = "how well survival tells accepted prefixes from rejected ones, mean over "
                                   "positions (published heads: 0.81 .. 0.91)"});
  p.structure = read_structure(group);
  p.shares_given = group.given("between_request_share") || group.given("text_share");
  p.spread = read_spread(group);
  p.signal_noise =
      group.number("signal_noise", {.min = 0,
                                    .max = 10,
                                    .default_value = 0.7,
                                    .meaning = "noise of top-1, margin and entropy, in logits of the "
                                               "latent that the confidence sees exactly"});
  p.miscalibration = read_miscalibration(group);
  p.shift = read_shift(group);
  p.block_size = static_cast<int>(group.integer(
      "block_size", {.min = 0,
                     .max = 64,
                     .default_value = 0,
                     .unit = "tokens",
                     .meaning = "γ, the drafter's largest block; 0: as long as the survival table"}));
  return p;
}

std::shared_ptr<const AcceptanceModel> read_acceptance(Parameters& group, const AcceptanceParameters& p,
                                                       const std::vector<std::string>& domains,
                                                       std::vector<FitLine>& fits) {
  const std::size_t errors_before = group.errors().size();
  if (group.given("rounds") || group.is_describing()) {
    for (const char* curve :
         {"survival", "preset", "accepted_lengths", "by_domain", "block_size", "auc", "between_request_share",
          "text_share", "text_correlation_tokens", "text_structure", "signal_noise", "miscalibration",
          "shift", "beyond_trained_block"}) {
      group.exclude(curve, "rounds");
    }
    auto recorded = read_recorded_acceptance(group, domains, fits);
    if (!group.is_describing()) return recorded;
  }
  DomainCurves curves = read_curves(group, domains, p, fits);
  if (curves.survival.empty() || group.errors().size() > errors_before || group.is_describing())
    return nullptr;
  if (const auto structure = structure_of(group, p, domains)) {
    return with_structure(group, p, *structure, curves, fits);
  }
  std::vector<DomainLatent> latents;
  for (const auto& survival : curves.survival) {
    const auto solved = remembered_position_effects(survival, p.auc, p.spread);
    if (!solved) {
      add_unsolved(group, solved.error());
      return nullptr;
    }
    fits.push_back({"auc of the confidence's survival", "fitted", "1", p.auc, solved->auc});
    latents.push_back(solved->latent);
  }
  return std::make_shared<LatentAcceptance>(latents, p.spread, std::move(curves.miscalibration),
                                            p.signal_noise, p.shift);
}

}  // namespace dspark
