#include "executor/runner/committed_step.h"

#include <algorithm>

namespace dspark {

void CommittedStep::collect(const PackedStep& step, std::span<const std::int32_t> accepted,
                            const RequestTexts& texts) {
  id_.clear();
  shared_.clear();
  first_row_.assign(1, 0);
  for (auto* column : {&first_position_, &tokens_, &next_tokens_, &target_rows_}) column->clear();
  const RaggedRows rows = step.rows();
  for (std::size_t r = 0; r < rows.requests(); ++r) {
    const RequestId id = step.request(r);
    const std::span<const std::int32_t> text = texts.of(id);
    const std::int32_t first = rows.first_position[r];
    std::int32_t count = rows.first_row[r + 1] - rows.first_row[r];
    if (const auto round = step.round_of(r)) {
      if (!step.rounds()[*round].prompt) count = accepted[*round] + 1;
    }
    // The token behind a row is known but where the reply ended with the row's own.
    count = std::min(count, static_cast<std::int32_t>(text.size()) - 1 - first);
    for (std::int32_t i = 0; i < count; ++i) {
      const std::int32_t row = rows.first_row[r] + i;
      target_rows_.push_back(row);
      tokens_.push_back(step.tokens()[static_cast<std::size_t>(row)]);
      next_tokens_.push_back(text[static_cast<std::size_t>(first + i + 1)]);
    }
    id_.push_back(id);
    shared_.push_back(texts.shared(id));
    first_position_.push_back(first);
    first_row_.push_back(static_cast<std::int32_t>(tokens_.size()));
  }
}

CommittedRows CommittedStep::rows(std::span<const View<const float, 2>> kept) const {
  return {.id = id_,
          .first_row = first_row_,
          .first_position = first_position_,
          .shared = shared_,
          .tokens = tokens_,
          .next_tokens = next_tokens_,
          .target_rows = target_rows_,
          .kept = kept};
}

}  // namespace dspark
