#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "experiments/planning/plan_file.h"

namespace dspark {

struct PlanningOptions {
  std::string cache = {};  // folder; empty: nothing is kept
  int jobs = 1;
  bool quiet = false;
  bool exhaustive = false;  // every candidate to its end: brute force
};

/// A plan that was found and checked.
struct Plan {
  std::size_t candidate = 0;
  PlanSize size = {};
  double capacity = 0;             // requests/s of a replica
  std::int64_t chips_if_less = 0;  // at the peak less the forecast's error
  std::int64_t chips_if_more = 0;
};

/// What demand that answers makes of the saving.
struct DemandOutcome {
  double cost_ratio = 1;               // of a request, GPUs in continuous capacity: best over baseline
  double requests_ratio = 1;           // over the forecast
  std::int64_t chips = 0;              // of the best candidate, for them
  double resource_ratio = 1;           // cost-weighted capacity over the baseline's
  std::optional<double> rebound = {};  // R; none where nothing is saved
};

struct LostCandidate {
  std::size_t candidate = 0;
  bool unreachable = false;            // no load meets the limits
  std::optional<PlanSize> least = {};  // it needs at least this
  std::string why = {};
};

struct PlanAnswer {
  std::optional<Plan> best = {};
  std::optional<Plan> runner_up = {};
  std::optional<Plan> baseline = {};
  std::optional<DemandOutcome> demand = {};
  std::vector<LostCandidate> losers = {};  // in the order of their bounds
  std::vector<CandidateState> states = {};
  int tests = 0;
  int replications = 0;
};

/// Finds the plan. Nothing: interrupted; with a cache the next call goes on from there.
std::optional<PlanAnswer> find_plan(const PlanFile& file, const PlanningOptions& options,
                                    std::atomic<bool>& stop);

/// "95 % of TTFT within 300 ms: 71.2 % are", of the limit that binds in this test.
std::string binding_text(const PlanFile& file, const TestOutcome& outcome);

}  // namespace dspark
