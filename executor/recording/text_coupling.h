#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "executor/drafter/draft_choice.h"

namespace dspark {

/// One round of speculative sampling given the text that it wrote: draws the drafts, accepted or not, from
/// their law given that text (dense_rounds.h).
class TextCoupling final : public DraftChoice {
 public:
  /// next_tokens: (γ) of the text behind the anchor. target: (γ · vocabulary) the target's distributions of
  /// them, each given the text before it. coins, redraws: (γ) uniforms of (0, 1). All outlive it.
  TextCoupling(std::span<const std::int32_t> next_tokens, std::span<const float> target,
               std::span<const double> coins, std::span<const double> redraws)
      : next_tokens_(next_tokens), target_(target), coins_(coins), redraws_(redraws) {}

  std::int32_t choose(int k, std::span<const float> probabilities, std::int32_t drawn) override;

  int accepted() const { return accepted_; }
  /// 1 - ½‖p_d - p_t‖₁ of the positions up to the first rejected one.
  const std::vector<float>& acceptance() const { return acceptance_; }

 private:
  std::span<const std::int32_t> next_tokens_;
  std::span<const float> target_;
  std::span<const double> coins_, redraws_;
  std::vector<float> acceptance_;
  int accepted_ = 0;
  bool rejected_ = false;
};

}  // namespace dspark
