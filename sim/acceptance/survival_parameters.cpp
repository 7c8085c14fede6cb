#include "sim/acceptance/survival_parameters.h"

#include <fmt/format.h>

#include <optional>

#include "sim/acceptance/accepted_lengths.h"
#include "sim/acceptance/survival_presets.h"

namespace dspark {
namespace {

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

}  // namespace

std::vector<double> read_survival(Parameters& group, int block_size, const std::string& name,
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
  const auto lengths = read_accepted_lengths(group, block_size);
  if (!lengths) return {};
  const NearestSurvival nearest = nearest_survival(*lengths, block_size > 0 ? block_size : lengths->back().k);
  for (std::size_t i = 0; i < lengths->size(); ++i) {
    fits.push_back({fmt::format("accepted length at k {}{}", (*lengths)[i].k, name), "fitted", "tokens",
                    (*lengths)[i].tokens, nearest.reached[i].tokens});
  }
  return nearest.survival;
}

std::vector<std::string> survival_preset_names() {
  std::vector<std::string> names;
  for (const SurvivalPreset& preset : survival_presets()) names.push_back(preset.name);
  return names;
}

}  // namespace dspark
