#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <vector>

#include "experiments/planning/observation_cache.h"
#include "experiments/planning/plan_file.h"

namespace dspark {

/// A replica of a candidate, simulated. One thread at a time. All that it refers to must outlive it.
class ScenarioReplica final : public ReplicaModel {
 public:
  ScenarioReplica(const PlanFile& file, const NamedCandidate& candidate, const ObservationCache& cache,
                  const std::atomic<bool>* cancelled);
  ~ScenarioReplica() override;

  std::optional<double> saturation() const override;
  std::optional<ReplicaObservation> observe(double load, int series, int replication) const override;
  void end_test() const override;

 private:
  struct Test;
  Digest digest(const Value& point, int series) const;
  std::optional<ReplicaObservation> simulate(int replication) const;

  const PlanFile& file_;
  const NamedCandidate& candidate_;
  const ObservationCache& cache_;
  const std::atomic<bool>* cancelled_;
  mutable std::unique_ptr<Test> test_;  // the load at hand
};

}  // namespace dspark
