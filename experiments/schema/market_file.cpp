#include "experiments/schema/market_file.h"

#include <algorithm>
#include <filesystem>

#include "experiments/schema/experiment.h"
#include "experiments/schema/input_files.h"
#include "experiments/schema/yaml_document.h"
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

template <class Read>
auto read_text(const Value& root, const FileLoader& loader, SurfaceSource* surfaces, Errors& errors,
               const Read& read, std::vector<ParameterRecord>* records = nullptr) {
  Parameters parameters(root, loader);
  auto found = read(parameters, surfaces);
  parameters.finish();
  errors.insert(errors.end(), parameters.errors().begin(), parameters.errors().end());
  if (records) *records = parameters.records();
  return found;
}

/// Adds what stands at other places than `said`: a distribution that is wrong has been said to be.
void add_elsewhere(const Errors& more, const std::vector<Position>& said, Errors& errors) {
  for (const Error& error : more) {
    const auto same = [&](const Position& p) {
      return p.line > 0 && p.line == error.position.line && p.column == error.position.column;
    };
    if (std::none_of(said.begin(), said.end(), same)) errors.push_back(error);
  }
}

/// Each entry of each any_of must be a market, the other values at their medians.
void check_entries(const UncertainMarket& market, const FileLoader& loader, Errors& errors) {
  std::vector<double> uniforms(market.keys.size(), 0.5);
  for (std::size_t i = 0; i < market.keys.size(); ++i) {
    const std::size_t count = market.keys[i].value.entries().size();
    for (std::size_t j = 0; j < count; ++j) {
      uniforms[i] = (static_cast<double>(j) + 0.5) / static_cast<double>(count);
      Errors of_entry;
      std::vector<Position> said;
      for (const Error& error : errors) said.push_back(error.position);
      read_text(market_at(market.root, market.keys, uniforms), loader, market.surfaces, of_entry, read);
      add_elsewhere(of_entry, said, errors);
    }
    uniforms[i] = 0.5;
  }
}

/// Files that were read before, from any thread.
FileLoader loader_of(const std::map<std::string, std::string>& files) {
  return [&files](const std::string& path, const Position& position) -> Result<InputFile> {
    const auto found = files.find(path);
    if (found == files.end()) return Error{"'" + path + "' was not read before", position, {}};
    return InputFile{path, found->second, position};
  };
}

}  // namespace

std::optional<UncertainMarket> read_uncertain_market(const std::string& path,
                                                     const std::vector<std::string>& set_options,
                                                     Errors& errors, SurfaceBuilder* surfaces) {
  auto root = read_document(path, set_options, "a market", errors);
  if (!root) return std::nullopt;
  InputFiles files(std::filesystem::path(path).parent_path().string());
  UncertainMarket result;
  std::vector<Position> wrong;
  result.keys = take_distributions(*root, wrong, errors);
  std::vector<ParameterRecord> records;
  if (!result.keys.empty() && errors.empty()) {
    Errors found_again;  // by the reading that counts
    read_text(*root, files.loader(), surfaces, found_again, read, &records);
    fit_to_ranges(*root, result.keys, records, errors);
  }
  Errors at_medians;
  result.at_medians = read_text(*root, files.loader(), surfaces, at_medians, read);
  for (const Error& error : errors) wrong.push_back(error.position);
  add_elsewhere(at_medians, wrong, errors);
  if (errors.empty() && surfaces && surfaces->wanted() && surfaces->build(errors))
    result.at_medians = read_text(*root, files.loader(), surfaces, errors, read);
  result.root = std::move(*root);
  result.surfaces = surfaces;
  if (surfaces && surfaces->interrupted()) return std::nullopt;
  if (errors.empty()) check_entries(result, files.loader(), errors);
  sort_by_position(errors);
  if (!errors.empty()) return std::nullopt;
  result.files = files.contents();
  return result;
}

MarketOutcome drawn_outcome(const UncertainMarket& market, std::span<const double> uniforms, bool all) {
  Errors errors;
  const Market drawn = read_text(market_at(market.root, market.keys, uniforms), loader_of(market.files),
                                 market.surfaces, errors, read);
  return errors.empty() ? market_outcome(drawn, all) : refused_outcome(errors);
}

std::optional<Market> read_market_file(const std::string& path, const std::vector<std::string>& set_options,
                                       Errors& errors, SurfaceBuilder* surfaces) {
  auto read = read_uncertain_market(path, set_options, errors, surfaces);
  return read ? std::optional(std::move(read->at_medians)) : std::nullopt;
}

std::optional<GrowthFile> read_growth_file(const std::string& path,
                                           const std::vector<std::string>& set_options, Errors& errors,
                                           SurfaceBuilder* surfaces) {
  const auto root = read_document(path, set_options, "a market", errors);
  if (!root) return std::nullopt;
  InputFiles files(std::filesystem::path(path).parent_path().string());
  auto found = read_text(*root, files.loader(), surfaces, errors, read_growth);
  if (errors.empty() && surfaces && surfaces->wanted() && surfaces->build(errors))
    found = read_text(*root, files.loader(), surfaces, errors, read_growth);
  sort_by_position(errors);
  if (!errors.empty() || (surfaces && surfaces->interrupted())) return std::nullopt;
  return found;
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
