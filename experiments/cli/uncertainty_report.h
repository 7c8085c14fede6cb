#pragma once

#include <optional>
#include <string>

#include "experiments/schema/market_file.h"
#include "sim/demand/uncertainty_study.h"

namespace dspark {

/// Bands, backfire, what became of the draws, sensitivity and tornado, for people.
std::string uncertainty_text(const UncertainMarket& market, const UncertaintyReport& report);
/// That a market was solved at medians, and of what; empty where nothing is uncertain.
std::string medians_text(const UncertainMarket& market);
/// "which assumption decides the answer?", in one sentence.
std::string deciding_assumption(const UncertainMarket& market, const UncertaintyReport& report);

/// The JSON of the market at its medians with the members `uncertain` and, where there is a report,
/// `uncertainty`: bands and a tornado's bars among them.
std::string with_uncertainty(const std::string& json, const UncertainMarket& market,
                             const std::optional<UncertaintyReport>& report);

}  // namespace dspark
