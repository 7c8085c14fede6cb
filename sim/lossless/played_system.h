#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "policies/depth/depth_policy.h"
#include "policies/depth/owned_frontier.h"
#include "policies/depth/survival_history.h"
#include "sim/lossless/draft_model.h"

namespace dspark {

using PolicyMaker = std::function<std::unique_ptr<DepthPolicy>()>;

/// What the engine enforces whatever the policy is. Faults that these rules forbid are planted with one of
/// them switched off.
struct EngineRules {
  /// The token after which a draft stop ended the draft is submitted to the policy like those before it.
  bool keeps_the_stopping_token = true;
  /// `Step` shows planned block sizes and prices them; false: this step's drafted lengths.
  bool shows_planned_blocks = true;
};

/// One round of the past: who drafted what, and how much of it the target would have accepted.
struct PlayedRound {
  std::shared_ptr<const DraftModels> models;
  std::vector<int> tokens = {};    // (requests, block_size)
  std::vector<int> accepted = {};  // (requests), if verified
  unsigned joins_after = 0;        // bit r: request r ended with this round and a new one took its number
};

/// The system a policy is checked in, apart from the policy.
struct CheckedSystem {
  SystemSize size;
  StepCost cost;
  ConfidenceSource source = ConfidenceSource::kConfidence;
  EngineRules rules = {};
};

/// What an engine does with a depth policy, step by step, without clock, text and memory.
class PlayedSystem {
 public:
  PlayedSystem(const CheckedSystem& system, DepthPolicy& policy);

  /// Plan, draft, choose: verification lengths by request.
  std::span<const int> decide(const DraftModels& models, std::span<const int> tokens,
                              std::span<const int> accepted);
  /// The rest of the step that `decide` began: outcomes, history.
  void finish(unsigned joins_after = 0);
  void play(const PlayedRound& round);

  /// The last step asked the policy after drafting / had a draft stop.
  bool chose() const { return chose_; }
  bool stopped() const { return stop_seen_; }

 private:
  RequestColumns request() const { return {ids_, rounds_, context_, context_, block_cap_}; }
  void stop_drafts(const DraftStop& stop);
  Step step_view() const;

  const CheckedSystem& system_;
  DepthPolicy& policy_;
  PolicyTraits traits_;
  std::vector<RequestId> ids_;
  std::vector<std::int32_t> rounds_, context_, block_cap_;
  std::vector<int> planned_, lengths_;
  DrawnBlocks blocks_;
  OwnedFrontier frontier_;
  SurvivalHistory history_;
  std::int64_t step_ = 0;
  bool chose_ = false;
  bool stop_seen_ = false;
};

}  // namespace dspark
