#include "experiments/schema/market_file.h"

#include <algorithm>
#include <tuple>

#include "experiments/schema/experiment.h"
#include "experiments/schema/input_files.h"
#include "experiments/schema/set_option.h"
#include "experiments/schema/yaml_reader.h"
#include "experiments/surface/surface_builder.h"

namespace dspark {
namespace {

Market read(Parameters& parameters, SurfaceSource* surfaces = nullptr) {
  parameters.integer("schema", {.min = kSchemaVersion,
                                .max = kSchemaVersion,
                                .meaning = "version of this file's format; the program reads version 1"});
  return read_market(parameters, surfaces);
}

GrowthFile read_growth(Parameters& parameters, SurfaceSource* surfaces = nullptr) {
  GrowthFile file;
  file.market = read(parameters, surfaces);
  file.plan = read_growth_plan(parameters, file.market);
  return file;
}

void sort_by_position(Errors& errors) {
  const auto place = [](const Error& e) {
    return std::tuple(e.position.source ? *e.position.source : std::string(), e.position.line,
                      e.position.column);
  };
  std::stable_sort(errors.begin(), errors.end(),
                   [&](const Error& a, const Error& b) { return place(a) < place(b); });
}

/// The map of a market file, with the --set options applied.
std::optional<Value> read_root(const std::string& path, const std::vector<std::string>& set_options,
                               Errors& errors) {
  const auto yaml = read_whole_file(path, kMaxYamlBytes);
  if (!yaml) {
    errors.push_back(yaml.error());
    return std::nullopt;
  }
  auto root = read_yaml(*yaml, path);
  if (root && !root->map())
    root = Error{"a market is a map of keys, not " + describe(*root), root->position,
                 "it starts with 'schema: 1'"};
  if (!root) {
    errors.push_back(root.error());
    return std::nullopt;
  }
  for (const std::string& option : set_options) {
    if (auto error = apply_set_option(*root, option)) errors.push_back(std::move(*error));
  }
  return std::move(*root);
}

template <class Read>
using ReadBy = std::optional<decltype(std::declval<Read>()(std::declval<Parameters&>(), nullptr))>;

template <class Read>
ReadBy<Read> read_tree(const Value& root, SurfaceSource* surfaces, Errors& errors, const Read& read) {
  Parameters parameters(root);
  auto found = read(parameters, surfaces);
  parameters.finish();
  errors.insert(errors.end(), parameters.errors().begin(), parameters.errors().end());
  sort_by_position(errors);
  if (!errors.empty()) return std::nullopt;
  return found;
}

/// Twice where the file names simulations: to know which, and with what they gave.
template <class Read>
ReadBy<Read> read_file(const std::string& path, const std::vector<std::string>& set_options, Errors& errors,
                       SurfaceBuilder* surfaces, const Read& read) {
  const auto root = read_root(path, set_options, errors);
  if (!root) return std::nullopt;
  auto found = read_tree(*root, surfaces, errors, read);
  if (!found || !surfaces || !surfaces->wanted()) return found;
  if (!surfaces->build(errors)) return std::nullopt;
  return read_tree(*root, surfaces, errors, read);
}

}  // namespace

std::optional<Market> read_market_file(const std::string& path, const std::vector<std::string>& set_options,
                                       Errors& errors, SurfaceBuilder* surfaces) {
  return read_file(path, set_options, errors, surfaces, read);
}

std::optional<GrowthFile> read_growth_file(const std::string& path,
                                           const std::vector<std::string>& set_options, Errors& errors,
                                           SurfaceBuilder* surfaces) {
  return read_file(path, set_options, errors, surfaces, read_growth);
}

std::vector<CatalogueEntry> market_catalogue() {
  std::vector<CatalogueEntry> entries;
  const auto add = [&](const char* kind, const auto& known, const auto& context) {
    for (const auto& entry : known) {
      Parameters parameters = Parameters::describing();
      entry.construct(parameters, context);
      entries.push_back({kind, entry.name, entry.meaning, parameters.records()});
    }
  };
  add("demand", demand_forms(), SegmentContext{});
  add("latency", latency_responses(), SegmentContext{});
  add("supply", supplies(), EfficiencyGain{});
  Parameters simulated = Parameters::describing();
  read_simulated_supplies(simulated, nullptr);
  entries.push_back({"supply", kSimulatedSupply,
                     "Two policies of an experiment, as simulations say they serve; the gain is measured",
                     simulated.records()});
  for (const ElasticityPreset& preset : elasticity_presets()) {
    std::string meaning = number_text(preset.elasticity) + ": ";
    meaning += preset.source.empty() ? "an assumption, " : preset.source + "; but ";
    entries.push_back({"elasticity", preset.name, meaning + preset.caveat, {}});
  }
  return entries;
}

std::vector<ParameterRecord> describe_market_file() {
  Parameters parameters = Parameters::describing();
  read_growth(parameters);
  return parameters.records();
}

}  // namespace dspark
