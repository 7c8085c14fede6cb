#include "sim/demand/assumption.h"

#include <fmt/format.h>

#include "policies/nearest_name.h"

namespace dspark {
namespace {

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const ElasticityPreset& preset : elasticity_presets()) names.push_back(preset.name);
  return names;
}

Assumption of_preset(const ElasticityPreset& preset) {
  return {"", preset.elasticity, fmt::format("preset {}: {}", preset.name, preset.source), preset.caveat};
}

}  // namespace

const std::vector<ElasticityPreset>& elasticity_presets() {
  static const std::vector<ElasticityPreset> presets = {
      {"inelastic", 0.06,
       "State of AI, OpenRouter and a16z (arXiv 2601.10088): a 10 % lower price goes with 0.5 to 0.7 % more "
       "usage",
       "a correlation over models that differ in quality: no lower bound of the market's elasticity"},
      {"energy_like_short_run", 0.2, "",
       "a value in the range of energy services in the short run; not measured on tokens"},
      {"energy_like_long_run", 0.6, "",
       "a value in the range of energy services in the long run; not measured on tokens"},
      {"nber", 1.11, "Demirer, Fradkin, Tadelis and Peng, NBER working paper 34608 (December 2025)",
       "the same open model at several hosts of one router, which weights hosts by price: partly mechanical, "
       "at most "
       "a short-run upper bound of the market's elasticity"},
      {"elastic", 1.5, "", "a value above 1 to see backfire; not measured"},
  };
  return presets;
}

void SegmentContext::note(std::string what, double value) const {
  if (assumptions) assumptions->push_back({fmt::format("{}: {}", segment, what), value, source, ""});
}

Assumption read_elasticity(Parameters& parameters, std::string_view name, std::string_view meaning,
                           const std::optional<Assumption>& fallback) {
  const Value* value = parameters.raw(name, kElasticityType, meaning, /*optional=*/fallback.has_value());
  if (!value) return fallback.value_or(Assumption{});
  const std::string text = value->scalar() ? *value->scalar() : std::string();
  if (const auto number = parse_number(text)) {
    if (*number < 0) {
      parameters.add_error(
          fmt::format("'{}' must not be negative, not '{}'", name, text), value->position,
          fmt::format("elasticities are written positive here: usage ~ price^-elasticity, so {} "
                      "says that a lower price is used more",
                      number_text(-*number)));
    } else if (*number > kLargestElasticity) {
      parameters.add_error(fmt::format("'{}' must be at most {}, not '{}'", name, kLargestElasticity, text),
                           value->position);
    } else {
      return {"", *number, "", ""};
    }
    return fallback.value_or(Assumption{});
  }
  for (const ElasticityPreset& preset : elasticity_presets()) {
    if (preset.name == text) return of_preset(preset);
  }
  parameters.add_error(fmt::format("'{}' must be a number >= 0 or a preset, not '{}'", name,
                                   value->scalar() ? text : describe(*value)),
                       value->position, known_names_advice(text, preset_names()));
  return fallback.value_or(Assumption{});
}

double read_noted_elasticity(Parameters& parameters, const SegmentContext& context) {
  Assumption elasticity = read_elasticity(
      parameters, "elasticity",
      "price elasticity of requests, positive; the file's own 'elasticity' if absent", context.elasticity);
  elasticity.what = fmt::format("{}: price elasticity of requests", context.segment);
  if (elasticity.source.empty() && elasticity.caveat.empty()) elasticity.source = context.source;
  if (context.assumptions) context.assumptions->push_back(elasticity);
  return elasticity.value;
}

}  // namespace dspark
