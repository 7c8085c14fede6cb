#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "executor/drafter/drafter.h"
#include "executor/runner/packed_step.h"
#include "executor/runner/request_texts.h"

namespace dspark {

/// The rows of a step whose tokens turned out to be part of their request's text: prompts, anchors and
/// accepted drafts.
class CommittedStep {
 public:
  /// accepted: (rounds of the step). The texts hold what the step gave.
  void collect(const PackedStep& step, std::span<const std::int32_t> accepted, const RequestTexts& texts);
  CommittedRows rows(std::span<const View<const float, 2>> kept) const;

 private:
  std::vector<RequestId> id_;
  std::vector<SharedPrefix> shared_;
  std::vector<std::int32_t> first_row_, first_position_, tokens_, next_tokens_, target_rows_;
};

}  // namespace dspark
