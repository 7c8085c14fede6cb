#include "sim/acceptance/acceptance_parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "sim/acceptance/accepted_lengths.h"
#include "sim/acceptance/position_effects.h"
#include "sim/acceptance/recorded_acceptance.h"
#include "sim/acceptance/survival_presets.h"
#include "sim/table/rounds_csv.h"

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

/// Published mean accepted lengths: what they count is asked, never guessed.
std::optional<std::vector<AcceptedLength>> read_accepted_lengths(Parameters& parent, int block_size) {
  Parameters group = parent.group("accepted_lengths", "instead of `survival`: mean accepted lengths by k");
  const std::size_t errors_before = parent.errors().size();
  const auto k = group.numbers(
      "k", {.min = 1, .max = 64, .max_count = 64, .unit = "tokens", .meaning = "draft tokens per round"});
  const auto tokens = group.numbers(
      "tokens",
      {.min = 0, .max = 65, .max_count = 64, .unit = "tokens", .meaning = "mean accepted length at each k"});
  const std::string bonus = group.choice(
      "bonus_token", {.options = {"included", "excluded"},
                      .meaning = "whether the lengths count the token that the target adds to each round"});
  if (parent.errors().size() > errors_before || parent.is_describing()) return std::nullopt;
  if (k.size() != tokens.size()) {
    group.add_error(fmt::format("{} values of k and {} of tokens", k.size(), tokens.size()),
                    group.position_of("tokens"));
    return std::nullopt;
  }
  std::vector<AcceptedLength> lengths;
  for (std::size_t i = 0; i < k.size(); ++i) {
    const int depth = static_cast<int>(k[i]);
    const double length = tokens[i] + (bonus == "included" ? 0 : 1);
    if (depth != k[i] || (i > 0 && depth <= lengths.back().k)) {
      group.add_error("'k' must be whole and ascending", group.position_of("k"));
      return std::nullopt;
    }
    if (length < 1 || length > 1 + k[i]) {
      group.add_error(fmt::format("an accepted length of {} at k {} is not possible with the bonus token {}",
                                  tokens[i], depth, bonus),
                      group.position_of("tokens"), bonus == "included" ? "1 .. k + 1 is" : "0 .. k is");
      return std::nullopt;
    }
    lengths.push_back({depth, length});
  }
  if (block_size > 0 && lengths.back().k > block_size) {
    group.add_error(fmt::format("k {} is larger than block_size {}", lengths.back().k, block_size),
                    group.position_of("k"));
    return std::nullopt;
  }
  return lengths;
}

/// A written survival table; empty after an error.
std::vector<double> read_table(Parameters& group) {
  const std::size_t errors_before = group.errors().size();
  std::vector<double> survival = group.numbers(
      "survival", {.min = 0,
                   .max = 1,
                   .min_count = 1,
                   .max_count = 64,
                   .meaning = "probability that the first k draft tokens are all accepted, by k; or "
                              "`preset`, or `accepted_lengths`"});
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

std::vector<double> read_preset(Parameters& group) {
  const std::string name =
      group.choice("preset", {.options = survival_preset_names(),
                              .meaning = "instead of `survival`, a published one: target/drafter/domain"});
  for (const SurvivalPreset& preset : survival_presets()) {
    if (preset.name == name && !group.is_describing()) return survival_of(preset.conditional);
  }
  return {};
}

/// One way to say how drafts fare. Empty after an error.
std::vector<double> read_survival(Parameters& group, const AcceptanceParameters& p, const std::string& name,
                                  std::vector<FitLine>& fits) {
  group.exclude("survival", "preset");
  group.exclude("survival", "accepted_lengths");
  group.exclude("preset", "accepted_lengths");
  if (group.is_describing()) {
    read_accepted_lengths(group, 0);
    read_preset(group);
    return read_table(group);
  }
  if (group.given("preset")) return read_preset(group);
  if (!group.given("accepted_lengths")) return read_table(group);
  const auto lengths = read_accepted_lengths(group, p.block_size);
  if (!lengths) return {};
  const NearestSurvival nearest =
      nearest_survival(*lengths, p.block_size > 0 ? p.block_size : lengths->back().k);
  for (std::size_t i = 0; i < lengths->size(); ++i) {
    fits.push_back({fmt::format("accepted length at k {}{}", (*lengths)[i].k, name), "fitted", "tokens",
                    (*lengths)[i].tokens, nearest.reached[i].tokens});
  }
  return nearest.survival;
}

/// A recording instead of a curve; nullptr after an error.
std::shared_ptr<const AcceptanceModel> read_recorded(Parameters& parent,
                                                     const std::vector<std::string>& domains,
                                                     std::vector<FitLine>& fits) {
  Parameters group = parent.group("rounds", "instead of a curve: recorded rounds, replayed in their order");
  const Position position = group.position_of("file");
  InputFile file = group.file("file", "CSV of rounds (docs/calibration.md has its columns)");
  const std::string form =
      group.choice("form", {.options = {"rounds", "gate_conditional", "gate_cumulative"},
                            .default_value = "rounds",
                            .meaning = "rounds: our columns; gate_…: `commits, category, a0, …` "
                                       "with conditional or cumulative estimates"});
  if (file.content.empty() || parent.is_describing()) return nullptr;
  auto rounds = read_rounds_csv(std::move(file), form == "rounds"             ? RoundsForm::kRounds
                                                 : form == "gate_conditional" ? RoundsForm::kGateConditional
                                                                              : RoundsForm::kGateCumulative);
  auto model = rounds ? RecordedAcceptance::make(*std::move(rounds), domains) : rounds.error();
  if (!model) {
    Error error = model.error();
    if (!error.position.source) error.position = position;
    group.add_error(std::move(error));
    return nullptr;
  }
  constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();
  fits.push_back(
      {(*model)->is_dense() ? "rounds replayed, from every position" : "rounds replayed, back to back",
       "recorded", "rounds", kNotMeasured, static_cast<double>((*model)->used_rounds())});
  return *std::move(model);
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
    curves.survival.push_back(read_survival(group, p, "", fits));
    curves.miscalibration.push_back(p.miscalibration);
  } else {
    Parameters by_domain = group.group("by_domain", "acceptance of each of the workload's domains", true);
    for (const std::string& domain : domains) {
      Parameters one = by_domain.group(domain, "acceptance in this domain", true);
      curves.survival.push_back(read_survival(one, p, ", " + domain, fits));
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

}  // namespace

AcceptanceParameters read_acceptance_parameters(Parameters& group) {
  AcceptanceParameters p;
  p.auc = group.number("auc",
                       {.min = 0.52,
                        .max = 0.99,
                        .default_value = 0.85,
                        .meaning = "how well survival tells accepted prefixes from rejected ones, mean over "
                                   "positions (published heads: 0.81 .. 0.91)"});
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
    for (const char* curve : {"survival", "preset", "accepted_lengths", "by_domain", "block_size", "auc"}) {
      group.exclude(curve, "rounds");
    }
    auto recorded = read_recorded(group, domains, fits);
    if (!group.is_describing()) return recorded;
  }
  DomainCurves curves = read_curves(group, domains, p, fits);
  if (curves.survival.empty() || group.errors().size() > errors_before || group.is_describing())
    return nullptr;
  std::vector<DomainLatent> latents;
  for (const auto& survival : curves.survival) {
    const auto solved = remembered_position_effects(survival, p.auc, p.spread);
    if (!solved) {
      Error error = solved.error();
      error.position = group.given("auc") ? group.position_of("auc") : group.position();
      group.add_error(std::move(error));
      return nullptr;
    }
    fits.push_back({"auc of the confidence's survival", "fitted", "1", p.auc, solved->auc});
    latents.push_back(solved->latent);
  }
  return std::make_shared<LatentAcceptance>(latents, p.spread, std::move(curves.miscalibration),
                                            p.signal_noise, p.shift);
}

std::vector<std::string> survival_preset_names() {
  std::vector<std::string> names;
  for (const SurvivalPreset& preset : survival_presets()) names.push_back(preset.name);
  return names;
}

}  // namespace dspark
