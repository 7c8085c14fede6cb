#include "executor/profile/step_timer.h"

#include <chrono>
#include <numeric>

namespace dspark {

/// Each request has blocks of its own: contexts that were shared would come from the processor's caches.
void StepTimer::pack(const ProfilePoint& point) {
  const auto requests = static_cast<std::size_t>(point.requests);
  const auto rows = static_cast<std::size_t>(point.tokens);
  first_row_.assign(1, 0);
  first_position_.assign(requests, point.context_tokens);
  const int longest = point.context_tokens + point.rows_of(0);
  table_width_ = static_cast<std::size_t>((longest + block_tokens_ - 1) / block_tokens_);
  blocks_.assign(requests * table_width_, 0);
  std::int32_t next_block = 0;
  for (int r = 0; r < point.requests; ++r) {
    first_row_.push_back(first_row_.back() + point.rows_of(r));
    const int held = (point.context_tokens + point.rows_of(r) + block_tokens_ - 1) / block_tokens_;
    const auto begin =
        blocks_.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(r) * table_width_);
    std::iota(begin, begin + held, next_block);
    next_block += held;
  }
  tokens_.resize(rows);
  for (std::size_t i = 0; i < rows; ++i) tokens_[i] = static_cast<std::int32_t>(i % target_.vocab_size());
  logit_rows_.resize(rows);
  std::iota(logit_rows_.begin(), logit_rows_.end(), 0);
  largest_.resize(rows);
  if (temperature_ == 0) return;
  rules_.assign(rows, {.temperature = temperature_});
  accept_keys_.assign(rows - requests, {});
  drafts_.assign(rows - requests, 0);
  final_keys_.assign(requests, {});
  accepted_.resize(requests);
  next_token_.resize(requests);
}

void StepTimer::choose(View<float, 2> logits) {
  if (temperature_ == 0) {
    kernels_.largest(logits, largest_);
    return;
  }
  kernels_.probabilities(logits, rules_);
  kernels_.accept(first_row_, logits, {}, drafts_, accept_keys_, final_keys_,
                  {.accepted = accepted_, .next_token = next_token_});
}

double StepTimer::seconds(const ProfilePoint& point) {
  pack(point);
  const RaggedRows ragged{
      .first_row = first_row_,
      .first_position = first_position_,
      .block_table = {blocks_.data(), {static_cast<std::size_t>(point.requests), table_width_}}};
  auto begin = std::chrono::steady_clock::now();
  for (int pass = 0; pass < kPasses; ++pass) {
    begin = std::chrono::steady_clock::now();
    const TargetOutput output = target_.forward(ragged, tokens_, logit_rows_);
    choose(output.logits);
    kernels_.synchronize();
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace dspark
