#pragma once

#include <vector>

#include "policies/cost/step_cost.h"
#include "sim/acceptance/acceptance_model.h"
#include "sim/engine/runner.h"
#include "sim/random/random_key.h"

namespace dspark {

/// The modelled machine's runner: time from step costs, drafts and outcomes from an acceptance model. One per
/// run.
class ModelledRunner final : public Runner {
 public:
  ModelledRunner(const StepCost& cost, const AcceptanceModel& acceptance, RandomKey key)
      : cost_(cost), acceptance_(acceptance), key_(key) {}

  int block_size() const override { return acceptance_.block_size(); }
  DraftColumns draft(const RunnerRows& rows, std::span<const int> block_size,
                     const DraftRules& rules) override;
  Verified verify(const RunnerRows& rows, std::span<const int> submitted, const StepShape& shape) override;

  /// What a step of this shape takes.
  StepSeconds seconds(const StepShape& shape) const;

 private:
  const StepCost& cost_;
  const AcceptanceModel& acceptance_;
  RandomKey key_;
  DraftedBlocks blocks_;
  std::vector<int> drafted_;
  std::vector<int> accepted_;
};

}  // namespace dspark
