#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policies/error.h"
#include "sim/demand/growth/growth_plan.h"
#include "sim/demand/market.h"
#include "sim/scenario.h"

namespace dspark {

class SurfaceBuilder;

/// Reads the market that `path` describes, with the --set options applied, and calibrates its baseline. All
/// errors are found, in the order of their positions; nullopt where there was any. `surfaces` builds those of
/// a simulated supply, once all else is right; nullopt where that was interrupted, without an error.
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
