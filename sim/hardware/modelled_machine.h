#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policies/cost/step_cost.h"
#include "policies/parameters.h"
#include "sim/acceptance/acceptance_model.h"
#include "sim/machine.h"

namespace dspark {

/// A machine described by numbers: step costs, KV memory and how drafts fare on it.
class ModelledMachine final : public Machine {
 public:
  /// Reads the block `machine.modelled`. `domains`: names of the workload's domains, whose acceptance is
  /// needed in this order; empty where the workload has none. Errors go to `parameters`; then the acceptance
  /// may be null.
  ModelledMachine(Parameters& parameters, const std::vector<std::string>& domains);

  int kv_blocks() const override { return kv_blocks_; }
  int block_tokens() const override { return block_tokens_; }
  int block_size() const override { return acceptance_->block_size(); }
  std::string block_size_key() const override { return "machine.modelled.acceptance.block_size"; }
  unsigned signals() const override { return acceptance_->signals(); }
  bool knows_outcomes() const override { return true; }
  bool is_real() const override { return false; }
  bool prefills_elsewhere() const override { return true; }
  const std::vector<FitLine>& fits() const override { return fits_; }
  Result<Start> start(RandomKey key, const EngineOptions& engine, StepDurations&,
                      RoundRecorder*) const override;

  bool is_whole() const { return acceptance_ != nullptr; }

 private:
  StepCost cost_;
  double step_noise_ = 0;
  int kv_blocks_ = 0;
  int block_tokens_ = 0;
  std::shared_ptr<const AcceptanceModel> acceptance_;
  std::vector<FitLine> fits_;
};

}  // namespace dspark
