#pragma once

#include <chrono>
#include <string>

#include "experiments/schema/experiment.h"

namespace dspark {

/// "0.1.0 (commit abc…)".
std::string version_text();

/// The JSON beside a result file: what differs from run to run and so stays out of it. durations: the result
/// whose measured runs were served again; empty: none.
std::string provenance_json(const Experiment& experiment, const std::string& durations, int jobs,
                            std::size_t resumed_runs, std::chrono::system_clock::time_point started);

}  // namespace dspark
