#include "executor/runner/packed_step.h"

#include <algorithm>

namespace dspark {

void PackedStep::pack(const RunnerRows& rows, std::span<const int> submitted,
                      std::span<const std::int32_t> draft_columns, std::size_t stride, RequestTexts& texts) {
  begin();
  for (std::size_t r = 0; r < rows.size(); ++r) {
    add_decoding(rows, r, submitted[r], draft_columns, stride, texts);
  }
  for (std::size_t p = 0; p < rows.prompts.size(); ++p) {
    if (rows.prompts[p].rows > 0) add_prompt(rows, p, texts);
  }
  fill_block_table();
}

void PackedStep::begin() {
  for (auto* column : {&first_row_, &first_position_, &tokens_, &logit_rows_, &first_logit_row_,
                       &draft_tokens_, &draft_entries_}) {
    column->clear();
  }
  rounds_.clear();
  request_.clear();
  round_of_.clear();
  held_.clear();
  first_row_.push_back(0);
  first_logit_row_.push_back(0);
}

void PackedStep::add_decoding(const RunnerRows& rows, std::size_t r, int submitted,
                              std::span<const std::int32_t> draft_columns, std::size_t stride,
                              RequestTexts& texts) {
  const RequestId id = rows.id[r];
  const LiveRequest& request = (*rows.requests)[id];
  const std::int32_t anchor = rows.anchor_position[r];
  rounds_.push_back({.id = id,
                     .source = rows.source[r],
                     .ordinal = rows.ordinal[r],
                     .anchor_position = anchor,
                     .attempt = rows.attempt[r],
                     .temperature = rows.temperature[r],
                     .submitted = submitted,
                     .first_draft = static_cast<std::int32_t>(draft_tokens_.size()),
                     .row = r});
  const auto first = static_cast<std::int32_t>(tokens_.size());
  tokens_.push_back(texts.committed(id, anchor + 1).back());
  for (int k = 1; k <= submitted; ++k) {
    const std::size_t entry = static_cast<std::size_t>(k - 1) * stride + r;
    draft_entries_.push_back(static_cast<std::int32_t>(entry));
    draft_tokens_.push_back(draft_columns[entry]);
    tokens_.push_back(draft_columns[entry]);
  }
  for (int k = 0; k <= submitted; ++k) logit_rows_.push_back(first + k);
  first_logit_row_.push_back(static_cast<std::int32_t>(logit_rows_.size()));
  close_request(id, request, anchor, true);
}

void PackedStep::add_prompt(const RunnerRows& rows, std::size_t p, RequestTexts& texts) {
  const PromptChunk& chunk = rows.prompts[p];
  const LiveRequest& request = (*rows.requests)[chunk.id];
  const std::int32_t length = request.text_tokens();
  const std::span<const std::int32_t> text = texts.committed(chunk.id, length);
  const auto next =
      text.subspan(static_cast<std::size_t>(request.computed), static_cast<std::size_t>(chunk.rows));
  tokens_.insert(tokens_.end(), next.begin(), next.end());
  const bool complete = request.computed + chunk.rows == length;
  if (complete) {
    rounds_.push_back({.id = chunk.id,
                       .source = request.spec.source,
                       .ordinal = request.spec.ordinal,
                       .anchor_position = length - 1,
                       .temperature = request.spec.temperature,
                       .first_draft = static_cast<std::int32_t>(draft_tokens_.size()),
                       .row = p,
                       .prompt = true});
    logit_rows_.push_back(static_cast<std::int32_t>(tokens_.size()) - 1);
    first_logit_row_.push_back(static_cast<std::int32_t>(logit_rows_.size()));
  }
  close_request(chunk.id, request, request.computed, complete);
}

void PackedStep::close_request(RequestId id, const LiveRequest& request, std::int32_t first_position,
                               bool with_round) {
  first_row_.push_back(static_cast<std::int32_t>(tokens_.size()));
  first_position_.push_back(first_position);
  request_.push_back(id);
  round_of_.push_back(with_round ? std::optional(rounds_.size() - 1) : std::nullopt);
  held_.push_back(&request);
}

void PackedStep::fill_block_table() {
  table_width_ = 0;
  for (const LiveRequest* request : held_) table_width_ = std::max(table_width_, request->blocks.size());
  block_table_.assign(held_.size() * table_width_, 0);
  for (std::size_t i = 0; i < held_.size(); ++i) {
    std::transform(held_[i]->blocks.begin(), held_[i]->blocks.end(),
                   block_table_.begin() + static_cast<std::ptrdiff_t>(i * table_width_),
                   [](BlockId block) { return static_cast<std::int32_t>(block); });
  }
}

RaggedRows PackedStep::rows() const {
  return {.first_row = first_row_,
          .first_position = first_position_,
          .block_table = {block_table_.data(), {held_.size(), table_width_}}};
}

}  // namespace dspark
