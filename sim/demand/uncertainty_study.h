#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "policies/error.h"
#include "sim/demand/market.h"
#include "sim/demand/sensitivity.h"
#include "sim/for_each_index.h"

namespace dspark {

/// What is told of the market of one draw. R of fixed chips is their shadow R.
enum MarketOutput : std::size_t {
  kReboundR,
  kGpuHoursRatio,
  kPriceLevel,  // $ per million weighted tokens
  kTokensRatio,
  kUserSpeedLevel,  // tokens/s
  kSurplusChange,   // $/h
  kBreakEven,       // price elasticity of all tokens at which the saving of GPU-hours is gone
  kOutputs
};
using OutputValues = std::array<double, kOutputs>;  // not a number where there is none

/// How the market of one draw ended.
enum class Ending {
  kOnBranch,       // in the equilibrium that is followed from the baseline
  kElsewhere,      // in another one: the branch breaks
  kOnLimit,        // at the most that the chips serve, requests are turned away
  kNoEquilibrium,  // alternates, runs away or vanishes
  kRefused,        // the drawn numbers are no market
};
constexpr std::size_t kEndings = 5;

struct MarketOutcome {
  Ending ending = Ending::kRefused;
  OutputValues values = {};
  std::string refusal = {};  // of kRefused: its first error
};
/// Without `all` surplus and break-even are left out: they cost more than the rest.
MarketOutcome market_outcome(const Market& market, bool all);
MarketOutcome refused_outcome(const Errors& errors);

/// The market at one point of the unit cube: a uniform number in (0, 1) for each uncertain value.
using DrawnMarket = std::function<MarketOutcome(std::span<const double> uniforms, bool all)>;

/// Quantiles of an output over the draws that have it.
struct Band {
  std::size_t draws = 0;
  double p05 = 0;
  double p50 = 0;
  double p95 = 0;
  /// 95 % intervals of these three, from order statistics: the share of draws below a quantile has a standard
  /// error of sqrt(q (1 - q) / draws).
  std::array<std::array<double, 2>, 3> intervals = {};
  double mean = 0;
};

/// A share of draws with its 95 % interval (Wilson 1927).
struct Share {
  std::size_t count = 0;
  std::size_t of = 0;
  double value = 0;
  double standard_error = 0;
  double low = 0;
  double high = 0;
};
Share share_of(std::size_t count, std::size_t of);

/// The outputs with one value at its 5 % and 95 % quantile and the others at their medians.
struct TornadoBar {
  MarketOutcome at_low = {};
  MarketOutcome at_high = {};
};

struct UncertaintyReport {
  std::size_t draws = 0;
  std::uint64_t seed = 0;
  MarketOutcome at_medians = {};
  std::array<std::optional<Band>, kOutputs> bands = {};  // nothing where no draw has the output
  std::array<Share, kEndings> endings = {};
  Share without_rebound = {};          // of all draws
  std::optional<Share> backfire = {};  // R > 1, of the draws with an R
  std::map<std::string, std::size_t> refusals = {};
  std::vector<SobolIndices> rebound = {};  // by uncertain value
  std::vector<SobolIndices> gpu_hours = {};
  std::size_t rebound_rows = 0;  // of the design, with all their outputs
  std::size_t gpu_hours_rows = 0;
  std::vector<TornadoBar> tornado = {};
};

/// Independent draws of `values` uncertain values, counter-based: draw, value and seed alone say which, so
/// that the report is the same on any number of threads. The draws are matrix A of the Saltelli design, whose
/// (values + 1) further solves per draw give the indices. draws >= 2.
UncertaintyReport study_uncertainty(std::size_t values, const DrawnMarket& market, std::size_t draws,
                                    std::uint64_t seed, const ForEachIndex& for_each);

}  // namespace dspark
