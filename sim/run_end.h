#pragma once

#include <optional>

#include "policies/error.h"
#include "sim/engine/engine.h"
#include "sim/metrics/run_metrics.h"
#include "sim/simulation.h"

namespace dspark {

/// Why a simulation that stopped has not served all that its stop rule asks for, and what to change; nothing
/// where it has.
std::optional<Error> why_unfinished(const Simulation& simulation, Simulation::Stop stop,
                                    const RunMetrics& metrics, const EngineOptions& engine);

/// Why closed metrics say nothing, and what to change; nothing where they do.
std::optional<Error> why_empty(const RunMetrics& metrics, const StopRule& stop);

}  // namespace dspark
