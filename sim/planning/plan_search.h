#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/for_each_index.h"
#include "sim/planning/replica_capacity.h"

namespace dspark {

/// What a replica of a candidate is made of.
struct ReplicaHardware {
  int gpus = 1;
  double dollars_per_gpu_hour = 0;
  double idle_watts = 0;  // of a GPU
  double active_watts = 0;
};

struct PlanCandidate {
  std::shared_ptr<const ReplicaModel> replica = {};
  ReplicaHardware hardware = {};
};

enum class PlanObjective { kChips, kDollars, kEnergy };

struct PlanRequest {
  double peak = 1;         // requests/s
  int spare_replicas = 0;  // k of N + k
  PlanObjective objective = PlanObjective::kChips;
  double confidence = 0.95;  // of a capacity, and of the check of a plan
  int most_replications = 16;
  double utilization = 0.95;  // a replica is loaded up to this share of its saturation throughput, <= 1
  LoadGrid grid = {};
};

/// Replicas that serve, spares, and what they cost at the peak, per hour.
struct PlanSize {
  std::int64_t serving = 0;
  std::int64_t replicas = 0;  // with the spares
  std::int64_t chips = 0;
  double dollars_per_hour = 0;
  double kilowatts = 0;  // spares idle
  double of(PlanObjective objective) const;
};
/// `busy_share` of a serving replica.
PlanSize size_of(const PlanRequest& request, const ReplicaHardware& hardware, std::int64_t serving,
                 double busy_share);
/// The least n whose share peak / n of the traffic is at most the capacity (> 0).
std::int64_t replicas_for(double peak, double capacity);

/// A candidate as the search knows it.
struct CandidateState {
  double saturation = 0;
  std::optional<CapacitySearch> search = {};
  int tests = 0;
  int replications = 0;
  int demoted = 0;                          // replicas added because a check with new seeds did not confirm
  std::optional<TestOutcome> not_met = {};  // at the least load that was tested and not met
  double not_met_load = 0;
  std::optional<TestOutcome> check = {};  // of the plan, with new seeds, at peak / serving
  bool confirmed = false;                 // by that check

  bool infeasible() const { return search && search->infeasible(); }
  bool resolved() const { return search && search->done() && !search->infeasible(); }
};

/// Best-first search over candidates. A candidate's bound is its objective at the largest capacity that its
/// bracket still allows; the candidate of the least (bound, index) is refined, sized, or, once nothing is
/// left to refine, the best. docs/planning.md proves that this is the order of brute force.
class PlanSearch {
 public:
  /// `progress`, if any, is called between rounds.
  PlanSearch(PlanRequest request, std::vector<PlanCandidate> candidates, ForEachIndex parallel,
             std::function<void(const PlanSearch&)> progress = {});

  /// The best `count` of these candidates, best first; fewer where the others are infeasible. Each was
  /// checked with new seeds. Nothing: interrupted.
  std::optional<std::vector<std::size_t>> best(const std::vector<std::size_t>& among, std::size_t count);
  /// Tests the lowest load of a candidate of which no load is known to meet the limits, to say whether any
  /// does. False: interrupted.
  bool test_lowest(const std::vector<std::size_t>& among);

  const PlanRequest& request() const { return request_; }
  const std::vector<PlanCandidate>& candidates() const { return candidates_; }
  const CandidateState& state(std::size_t candidate) const { return states_[candidate]; }
  /// At least this large; infinite objective (no replicas) where infeasible.
  std::optional<PlanSize> least_size(std::size_t candidate) const;
  /// Of a resolved candidate: its plan.
  PlanSize size(std::size_t candidate) const;
  int tests() const;
  int replications() const;

 private:
  double bound(std::size_t candidate) const;
  bool final(std::size_t candidate) const;
  std::vector<std::size_t> batch(const std::vector<std::size_t>& open) const;
  void advance(std::size_t candidate);
  void refine(std::size_t candidate, int index);
  void check(std::size_t candidate);
  std::int64_t serving(std::size_t candidate, double capacity) const;
  bool for_each(const std::vector<std::size_t>& those, const std::function<void(std::size_t)>& job);

  PlanRequest request_;
  std::vector<PlanCandidate> candidates_;
  ForEachIndex parallel_;
  std::function<void(const PlanSearch&)> progress_;
  std::vector<CandidateState> states_;
  std::vector<char> interrupted_;  // by candidate
};

}  // namespace dspark
