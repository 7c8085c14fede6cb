#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policies/calibration/rounds.h"
#include "policies/cost/step_cost.h"
#include "policies/error.h"
#include "sim/engine/runner.h"

namespace dspark {

/// A step of a recorded run: what it held and what it took.
struct RecordedStep {
  StepSeconds seconds = {};  // each part finite and >= 0, in all > 0
  std::int32_t decode_requests = 0;
  std::int32_t verified_tokens = 0;  // draft tokens; the anchors come on top
  std::int32_t prefill_rows = 0;
  std::int32_t drafting_requests = 0;
  std::int32_t draft_steps = 0;        // positions drafted: the largest block
  bool chosen_after_drafting = false;  // the policy's `choose` ran

  bool operator==(const RecordedStep&) const = default;
};

/// A request that entered a recorded run.
struct RecordedRequest {
  RequestSpec spec = {};
  std::int32_t output_tokens = -1;  // of its reply; -1: it was being served when the run ended
};

/// One replication on a real machine, round by round and step by step, warm-up included. Given this, a run
/// needs neither models nor clock: RecordedRunner plays it.
///
/// `rounds.request` is a number from 0 in the order of entering, the row of `requests`; `rounds.round` counts
/// the request's rounds, preempted or not. Rounds stand in the order of their steps. `rounds.drafted` is what
/// the drafter proposed, before a DraftStop: what it cut was drafted and not verified. Signals are the
/// drafter's own, before any calibration. An accepted end of text ends the block as Rounds says.
struct RunRecording {
  Rounds rounds = {};
  std::vector<std::int64_t> step = {};     // (rounds) rises; row of `steps`
  std::vector<std::int32_t> planned = {};  // (rounds) draft tokens asked for, drafted .. γ
  std::vector<float> divergence = {};  // (rounds, γ) KL(p_t || p_d), nats; NaN: none; empty: not asked for
  std::vector<RecordedStep> steps = {};
  std::vector<RecordedRequest> requests = {};  // in the order of entering
  std::vector<std::string> domain_names = {};  // by RequestSpec::domain; empty: the workload has none
  /// (requests) prompt and reply as tokens; empty where the request was being served when the run ended. Not
  /// kept in files.
  std::vector<std::vector<std::int32_t>> texts = {};
  /// The step costs that policies believed, where the machine measured them; none where the experiment says.
  std::optional<AffineCost> belief = {};
  int block_size = 0;  // γ of the drafter; 0: there was none
  bool has_confidence_head =
      false;  // else confidences are learned from the margin, unless the experiment says
};

/// The first number that no run gives, with its row; nullopt where RecordedRunner can play it. The columns'
/// lengths must agree.
std::optional<Error> find_spoilt(const RunRecording& recording);

}  // namespace dspark
