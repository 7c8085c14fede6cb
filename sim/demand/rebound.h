#pragma once

#include <array>
#include <optional>
#include <string>

#include "sim/demand/equilibrium.h"

namespace dspark {

enum Resource : std::size_t { kGpuHours, kDollars, kKilowattHours, kResources };
/// Players of the two games; in each the values sum to R.
enum Channel : std::size_t { kVolume, kIntensity, kNewApplications, kQualityTakeBack, kChannels };
enum Cause : std::size_t { kPrice, kLatency, kQuality, kCauses };

/// Provisioned resources, per hour.
using ResourceUse = std::array<double, kResources>;
ResourceUse resource_use(const SupplyPoint& point);

/// One resource before, by engineering alone, and after demand has answered (Saunders; Sorrell and
/// Dimitropoulos).
struct ResourceRebound {
  double baseline = 0;                 // E0
  double engineering = 0;              // E_eng: the same tasks at the same waiting and speed with the gain
  double equilibrium = 0;              // E1
  double ratio = 1;                    // E1 / E0
  std::optional<double> rebound = {};  // (E1 - E_eng)/(E0 - E_eng); nothing where nothing is saved
  std::optional<double> shadow = {};   // of fixed chips: R with as many as hold the baseline's waiting
  std::array<double, kChannels> by_channel = {};  // where the report is attributed
  std::array<double, kCauses> by_cause = {};
};

/// What an efficiency step saves, and what usage takes back.
struct ReboundReport {
  Equilibria equilibria = {};
  /// Where the market ends: on the baseline's branch, else the stable point nearest to the baseline, else
  /// where requests are turned away. Nothing where there is neither.
  std::optional<FixedPoint> end = {};
  bool on_branch = false;  // `end` was followed from the baseline
  double turned_away = 0;  // share of the tokens demanded there
  /// Of chips with a limit: weighted tokens/s that would be served with as many as hold the baseline's
  /// waiting.
  std::optional<double> shadow_tokens_per_second = {};
  std::array<ResourceRebound, kResources> resources = {};
  std::string no_rebound = {};  // why there is no R; empty where there is
  bool attributed = false;
  std::string not_attributed = {};                           // why channels and causes are not told apart
  bool of_shadow = false;                                    // the tables are of the shadow rebound
  std::array<ResourceUse, 1u << kChannels> coalitions = {};  // E(S) where attributed

  double tokens_ratio = 1;  // weighted tokens served, after over before: a ratio, never an R
  double requests_ratio = 1;
  double gpu_hours_per_request_ratio = 1;
  double pass_through = 0;      // ln(price ratio)/ln(cost ratio); 0 where the cost is as before
  double price_per_cost = 0;    // change of the price over change of the cost
  double surplus_per_hour = 0;  // change of consumers' surplus, $/h
  double price_elasticity = 0;  // of all tokens at the baseline
  /// All answers of demand times this would take back the whole saving of GPU-hours; nothing where no
  /// multiple up to 64 does.
  std::optional<double> break_even_multiple = {};
};

/// Solves the market after its step in efficiency: the equilibrium, 16 + 8 further solves for the tables, the
/// break-even. The market is calibrated.
ReboundReport study_rebound(const Market& market);

/// What a cheap solve can do without.
struct Wanted {
  bool equilibria = true;  // all that are found; they are looked for anyhow where the branch breaks
  bool surplus = true;
};
/// The cheap part of the same, for draws: where the market ends, R and prices; no tables, no break-even, no
/// shadow demand.
ReboundReport settle_market(const Market& market, const Wanted& wanted);

/// R of fixed chips, counted in those that hold the baseline's waiting; nothing for chips that follow the
/// load, without a saving, or where the branch breaks.
std::optional<double> shadow_rebound(const Market& market);

/// Change of consumers' surplus in $/h between the baseline and `state`: the area left of demand between the
/// two prices at the baseline's waiting, and between the two generalised costs where a segment prices its
/// time. With constant elasticity e: P0 Q0 (1 - (P1/P0)^(1-e))/(1-e). (Its level would be infinite for e
/// <= 1.)
double surplus_change(const Market& market, const MarketState& state);

/// The multiple of all answers at which GPU-hours are back at the baseline's.
std::optional<double> break_even_multiple(const Market& market);

}  // namespace dspark
