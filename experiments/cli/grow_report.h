#pragma once

#include <string>

#include "experiments/schema/market_file.h"
#include "experiments/surface/growth_check.h"
#include "sim/demand/growth/growth_report.h"

namespace dspark {

/// The paths for people: epochs, what made the tokens, what is saved.
std::string grow_text(const GrowthFile& file, const GrowthReport& report, const GrowthCheck& check);
/// The three paths as one JSON object; numbers that are not there are null.
std::string grow_json(const GrowthFile& file, const GrowthReport& report, const GrowthCheck& check);
/// One line for each epoch and path.
std::string grow_csv(const GrowthReport& report);

}  // namespace dspark
