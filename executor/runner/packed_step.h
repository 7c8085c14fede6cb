#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "executor/runner/request_texts.h"
#include "kernels/kernels.h"
#include "sim/engine/runner.h"

namespace dspark {

/// The rows of one step, packed for one forward pass: of each decoding request its anchor and the drafts
/// submitted, then of each prompt its next chunk.
class PackedStep {
 public:
  /// Rows whose logits give the next token of a request: those of an anchor and its drafts, or the last one
  /// of a prompt, which is an anchor without drafts.
  struct Round {
    RequestId id = {};
    std::uint32_t source = 0;
    std::uint32_t ordinal = 0;
    std::int32_t anchor_position = 0;
    std::int32_t attempt = 0;
    float temperature = 0;
    std::int32_t submitted = 0;
    std::int32_t first_draft = 0;  // of draft_tokens()
    std::size_t row = 0;           // of the step's decoding rows, or of its prompts
    bool prompt = false;
  };

  /// draft_columns: tokens of the drafts, position k of row r at (k - 1) * stride + r.
  void pack(const RunnerRows& rows, std::span<const int> submitted,
            std::span<const std::int32_t> draft_columns, std::size_t stride, RequestTexts& texts);

  RaggedRows rows() const;
  std::span<const std::int32_t> tokens() const { return tokens_; }
  std::span<const std::int32_t> logit_rows() const { return logit_rows_; }
  std::span<const Round> rounds() const { return rounds_; }
  /// Whose rows stand at place r of rows(), and which of rounds() they are; none where a prompt goes on in
  /// later steps.
  RequestId request(std::size_t r) const { return request_[r]; }
  std::optional<std::size_t> round_of(std::size_t r) const { return round_of_[r]; }
  /// (rounds + 1) where the rounds' logits begin among logit_rows.
  std::span<const std::int32_t> first_logit_row() const { return first_logit_row_; }
  /// All drafts submitted, round by round; and which column entry each came from.
  std::span<const std::int32_t> draft_tokens() const { return draft_tokens_; }
  std::span<const std::int32_t> draft_entries() const { return draft_entries_; }

 private:
  void begin();
  void add_decoding(const RunnerRows& rows, std::size_t r, int submitted,
                    std::span<const std::int32_t> draft_columns, std::size_t stride, RequestTexts& texts);
  void add_prompt(const RunnerRows& rows, std::size_t p, RequestTexts& texts);
  void close_request(RequestId id, const LiveRequest& request, std::int32_t first_position, bool with_round);
  void fill_block_table();

  std::vector<std::int32_t> first_row_, first_position_, tokens_, logit_rows_, first_logit_row_;
  std::vector<std::int32_t> draft_tokens_, draft_entries_;
  std::vector<Round> rounds_;
  std::vector<RequestId> request_;                    // (requests)
  std::vector<std::optional<std::size_t>> round_of_;  // (requests)
  std::vector<const LiveRequest*> held_;              // (requests) who has the blocks
  std::vector<std::int32_t> block_table_;             // (requests, table_width_)
  std::size_t table_width_ = 0;
};

}  // namespace dspark
