#include "sim/recording/round_recorder.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "policies/invariant.h"

namespace dspark {
namespace {

constexpr float kNotAvailable = std::numeric_limits<float>::quiet_NaN();

/// Positions 1..count of row `row` of a step's columns, as one more row of a recording's matrix.
void append_row(std::vector<float>& matrix, int block_size, std::span<const float> column, std::size_t stride,
                std::size_t row, int count) {
  const std::size_t begin = matrix.size();
  matrix.resize(begin + static_cast<std::size_t>(block_size), kNotAvailable);
  if (column.empty()) return;
  for (int k = 0; k < count; ++k) {
    const auto at = static_cast<std::size_t>(k);
    matrix[begin + at] = column[at * stride + row];
  }
}

void drop_where_empty(std::vector<float>& matrix) {
  if (std::all_of(matrix.begin(), matrix.end(), [](float value) { return std::isnan(value); }))
    matrix.clear();
}

std::vector<float> copied(std::span<const float> column) { return {column.begin(), column.end()}; }

}  // namespace

void RoundRecorder::begin(int block_size, bool has_confidence_head) {
  DSPARK_INVARIANT(block_size >= 0 && block_size <= kMaxRecordedBlockSize && rounds() == 0);
  recording_.block_size = block_size;
  recording_.has_confidence_head = has_confidence_head;
  recording_.rounds.block_size = std::max(1, block_size);
}

void RoundRecorder::entered(RequestId id, const RequestSpec& spec) {
  const auto index = static_cast<std::size_t>(id);
  if (number_of_.size() <= index) number_of_.resize(index + 1, -1);
  number_of_[index] = static_cast<std::int64_t>(recording_.requests.size());
  recording_.requests.push_back({.spec = spec});
  recording_.texts.emplace_back();
}

void RoundRecorder::left(RequestId id, std::int32_t produced, std::span<const std::int32_t> text) {
  const auto number = static_cast<std::size_t>(number_of_[static_cast<std::size_t>(id)]);
  recording_.requests[number].output_tokens = produced;
  recording_.texts[number].assign(text.begin(), text.end());
}

void RoundRecorder::drafted(std::span<const int> planned, const DraftColumns& raw) {
  stride_ = raw.stride;
  planned_.assign(planned.begin(), planned.end());
  drafted_.assign(raw.drafted.begin(), raw.drafted.end());
  confidence_ = copied(raw.confidence);
  top1_ = copied(raw.top1);
  margin_ = copied(raw.margin);
  entropy_ = copied(raw.entropy);
  chosen_ = copied(raw.chosen);
}

void RoundRecorder::verified(const RunnerRows& rows, std::span<const int> submitted, const StepShape& shape,
                             const Verified& verified, std::span<const float> acceptance) {
  DSPARK_INVARIANT(recording_.rounds.block_size > 0);
  if (drafted_.empty()) {  // a step that drafts nothing does not draft
    stride_ = rows.size();
    planned_.assign(rows.size(), 0);
    drafted_.assign(rows.size(), 0);
  }
  DSPARK_INVARIANT(drafted_.size() == rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row)
    add_round(rows, row, submitted[row], verified, acceptance);
  recording_.steps.push_back({.seconds = verified.seconds,
                              .decode_requests = shape.decode_requests,
                              .verified_tokens = shape.verified_tokens,
                              .prefill_rows = shape.prefill_rows,
                              .drafting_requests = shape.drafting_requests,
                              .draft_steps = shape.draft_steps,
                              .chosen_after_drafting = shape.chosen_after_drafting});
  planned_.clear();
  drafted_.clear();
  for (std::vector<float>* column : {&confidence_, &top1_, &margin_, &entropy_, &chosen_}) column->clear();
}

void RoundRecorder::add_round(const RunnerRows& rows, std::size_t row, int submitted,
                              const Verified& verified, std::span<const float> acceptance) {
  Rounds& rounds = recording_.rounds;
  int drafted = drafted_[row], accepted = verified.accepted[row];
  // An accepted end of text: nothing behind it is accepted or rejected.
  if (!verified.reply_end.empty() && verified.reply_end[row] <= accepted) {
    drafted = submitted = accepted = verified.reply_end[row];
  }
  rounds.request.push_back(number_of_[static_cast<std::size_t>(rows.id[row])]);
  rounds.round.push_back(rows.round[row]);
  rounds.anchor_position.push_back(rows.anchor_position[row]);
  rounds.domain.push_back(domain_of(rows.domain[row]));
  rounds.drafted.push_back(drafted);
  rounds.verified.push_back(submitted);
  rounds.accepted.push_back(accepted);
  recording_.step.push_back(static_cast<std::int64_t>(recording_.steps.size()));
  recording_.planned.push_back(planned_[row]);
  const auto append = [&](std::vector<float>& matrix, std::span<const float> column, int count) {
    append_row(matrix, rounds.block_size, column, stride_, row, count);
  };
  append(rounds.confidence, confidence_, drafted);
  append(rounds.top1, top1_, drafted);
  append(rounds.margin, margin_, drafted);
  append(rounds.entropy, entropy_, drafted);
  append(rounds.chosen, chosen_, drafted);
  append(rounds.acceptance, acceptance, submitted);
  append(recording_.divergence, verified.divergence, submitted);
}

std::int32_t RoundRecorder::domain_of(std::int32_t domain) {
  const auto index = static_cast<std::size_t>(domain);
  if (domain < 0 || index >= domains_.size()) return -1;
  if (named_.size() < domains_.size()) named_.resize(domains_.size(), -1);
  std::vector<std::string>& names = recording_.rounds.domain_names;
  if (named_[index] < 0) {
    named_[index] = static_cast<std::int32_t>(names.size());
    names.push_back(domains_[index]);
  }
  return named_[index];
}

RunRecording RoundRecorder::take() {
  for (const RoundSignal& signal : round_signals()) drop_where_empty(recording_.rounds.*signal.column);
  drop_where_empty(recording_.divergence);
  recording_.domain_names = domains_;
  return std::move(recording_);
}

}  // namespace dspark
