#pragma once

#include <memory>

#include "policies/batching/batching_policy.h"
#include "policies/parameters.h"
#include "sim/engine/engine.h"
#include "sim/metrics/run_metrics.h"
#include "sim/simulation.h"
#include "sim/workload/arrival_process.h"
#include "sim/workload/request_shapes.h"

namespace dspark {

/// The workload block: when requests arrive and what they look like.
struct Workload {
  std::unique_ptr<const ArrivalProcess> arrivals;
  std::unique_ptr<const RequestShapes> shapes;
  ServiceObjective objective;
};

/// Errors go to the parameters.
Workload read_workload(Parameters parameters);

/// The engine block, but for what the machine says.
struct EngineBlock {
  EngineOptions options;
  PrefillElsewherePrice elsewhere;
  std::unique_ptr<BatchingPolicy> batching;
};

EngineBlock read_engine(Parameters parameters);

}  // namespace dspark
