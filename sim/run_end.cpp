#include "sim/run_end.h"

#include <fmt/format.h>

namespace dspark {

std::optional<Error> why_unfinished(const Simulation& simulation, Simulation::Stop stop,
                                    const RunMetrics& metrics, const EngineOptions& engine) {
  if (!metrics.done() && stop == Simulation::Stop::kFinished) {
    return Error{
        fmt::format("{} requests did not fit into the KV cache of {} blocks of {} tokens and {} finished",
                    simulation.rejected(), engine.kv_blocks, engine.block_tokens,
                    metrics.finished_requests()),
        {},
        "raise kv.blocks of the machine or shorten the requests"};
  }
  if (stop == Simulation::Stop::kTooLong) {
    return Error{fmt::format("{} requests finished before the run reached {:.0g} seconds of virtual time",
                             metrics.finished_requests(), to_seconds(kHorizon)),
                 {},
                 "raise the rate or lower stop.requests"};
  }
  return std::nullopt;
}

std::optional<Error> why_empty(const RunMetrics& metrics, const StopRule& stop) {
  if (metrics.measured_requests() == 0) {
    return Error{fmt::format("the workload ended after {} requests, in the warm-up of {}",
                             metrics.finished_requests(), stop.warmup_requests),
                 {},
                 "lower stop.warmup_requests"};
  }
  if (!metrics.has_width()) {
    return Error{"all measured requests finished at one instant: nothing per second can be said",
                 {},
                 "give prefill_elsewhere a price, or replies more than one token"};
  }
  return std::nullopt;
}

}  // namespace dspark
