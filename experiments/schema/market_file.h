#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/schema/uncertain_market.h"
#include "policies/error.h"
#include "sim/demand/growth/growth_plan.h"
#include "sim/demand/market.h"
#include "sim/demand/uncertainty_study.h"
#include "sim/scenario.h"

namespace dspark {

class SurfaceBuilder;

/// A market whose file may hold distributions, read at their medians.
struct UncertainMarket {
  Value root = {};  // the file's text, at the medians
  std::vector<UncertainKey> keys = {};
  Market at_medians = {};
  std::map<std::string, std::string> files = {};  // those that it names, by path as written
  SurfaceBuilder* surfaces = nullptr;             // those of a simulated supply; outlives this
};

/// Reads the file with the --set options applied. Errors as below, and those of distributions; every entry of
/// an any_of must give a market, the others at their medians. `surfaces` builds those of a simulated supply,
/// once all else is right; nullopt where that was interrupted, without an error.
std::optional<UncertainMarket> read_uncertain_market(const std::string& path,
                                                     const std::vector<std::string>& set_options,
                                                     Errors& errors, SurfaceBuilder* surfaces = nullptr);

/// The market at a point of the unit cube, one number for each key. From any number of threads.
MarketOutcome drawn_outcome(const UncertainMarket& market, std::span<const double> uniforms, bool all);

/// Reads the market that `path` describes (at its medians), with the --set options applied, and calibrates
/// its baseline. All errors are found, in the order of their positions; nullopt where there was any.
std::optional<Market> read_market_file(const std::string& path, const std::vector<std::string>& set_options,
                                       Errors& errors, SurfaceBuilder* surfaces = nullptr);

/// A market, and how it moves from epoch to epoch.
struct GrowthFile {
  Market market = {};
  GrowthPlan plan = {};
};
/// The same for a file with `growth`, which read_market_file refuses as a key that it does not use.
std::optional<GrowthFile> read_growth_file(const std::string& path,
                                           const std::vector<std::string>& set_options, Errors& errors,
                                           SurfaceBuilder* surfaces = nullptr);

/// What such a file can name, of kinds `demand`, `latency`, `elasticity` and `supply`, for the reference
/// page.
std::vector<CatalogueEntry> market_catalogue();
/// The parameters of such a file, for the reference page.
std::vector<ParameterRecord> describe_market_file();

}  // namespace dspark
