#pragma once

#include <cstdint>
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
  /// `step_noise`: standard deviation of the logarithm of a factor of mean 1 on every step's duration; 0:
  /// none.
  ModelledRunner(const StepCost& cost, const AcceptanceModel& acceptance, RandomKey key,
                 double step_noise = 0)
      : cost_(cost), acceptance_(acceptance), key_(key), step_noise_(step_noise) {}

  int block_size() const override { return acceptance_.block_size(); }
  DraftColumns draft(const RunnerRows& rows, std::span<const int> block_size,
                     const DraftRules& rules) override;
  Verified verify(const RunnerRows& rows, std::span<const int> submitted, const StepShape& shape) override;

  /// What a step of this shape takes, noise apart, if its rows attend to so many tokens in all.
  StepSeconds seconds(const StepShape& shape, double attended_tokens = 0) const;

 private:
  const StepCost& cost_;
  const AcceptanceModel& acceptance_;
  RandomKey key_;
  double step_noise_;
  std::uint64_t steps_ = 0;  // verified so far
  DraftedBlocks blocks_;
  std::vector<int> drafted_;
  std::vector<int> accepted_;
};

}  // namespace dspark
