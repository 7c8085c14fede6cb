#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/lossless/played_system.h"

namespace dspark {

/// A policy's state, given by the rounds that led to it.
using History = std::vector<std::shared_ptr<const PlayedRound>>;

/// One step that is asked in every way it can come: all joint draws with a probability above 0.
struct StepQuestion {
  const CheckedSystem& system;
  const PolicyMaker& make;
  const History& history;
  const DraftModels& models;
  /// Ask each draw with every outcome too: for policies that are shown outcomes.
  bool every_outcome = false;
};

/// A joint draw with what the policy did about it.
struct DecidedDraw {
  std::vector<int> tokens;    // (requests, block_size)
  std::vector<int> accepted;  // (requests), if verified: what the decision was made beside
  std::vector<int> lengths;   // (requests) verified
};

struct StepDecisions {
  std::vector<DecidedDraw> draws;
  int different = 0;  // decisions that occurred
  bool chose = false;
  bool stopped = false;
};

/// A fresh policy for each draw, so that no draw is seen by another's decision.
StepDecisions decide_all(const StepQuestion& question);

/// Lemma 1: two draws that agree on what the first one submitted, and two decisions. Indices into `draws`.
struct TwoDecisions {
  std::size_t first = 0;
  std::size_t second = 0;
};
std::optional<TwoDecisions> broken_stopping_set(const StepDecisions& decisions, const SystemSize& size);

/// What a step's decisions make of the output of the next block_size tokens of each request, against the
/// target's own law.
struct ChangedLaw {
  double total_variation = 0;
  std::vector<int> text;    // (requests, block_size) whose probability is changed most
  double probability = 0;   // of it
  double target = 0;        // the target's
  bool joint_only = false;  // each request by itself keeps its law
};
ChangedLaw changed_law(const StepDecisions& decisions, const SystemSize& size,
                       const std::vector<Distribution<double>>& target,
                       const std::vector<Distribution<double>>& drawn);

}  // namespace dspark
