#include "sim/recording/recorded_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "policies/invariant.h"

namespace dspark {

std::string to_string(const ReplayDifference& difference) {
  const std::string who =
      difference.request < 0 ? std::string() : fmt::format(", request {}", difference.request);
  return fmt::format("step {}{}: {} {}, recorded were {}", difference.step, who, difference.replayed,
                     difference.what, difference.recorded);
}

/// Whether it is as recorded; the first time it is not is kept.
bool RecordedRunner::is(const char* what, std::int64_t request, std::int64_t recorded,
                        std::int64_t replayed) {
  if (difference_) return false;
  if (recorded == replayed) return true;
  difference_ = {step_, request, what, recorded, replayed};
  return false;
}

void RecordedRunner::entered(RequestId id, const RequestSpec& spec) {
  const auto index = static_cast<std::size_t>(id);
  if (number_of_.size() <= index) number_of_.resize(index + 1, -1);
  number_of_[index] = entered_++;
  const auto number = static_cast<std::size_t>(number_of_[index]);
  if (number >= recording_.requests.size()) {
    is("requests entered", -1, static_cast<std::int64_t>(recording_.requests.size()), entered_);
    return;
  }
  const RequestSpec& recorded = recording_.requests[number].spec;
  is("is its source", number_of_[index], recorded.source, spec.source);
  is("is its number of that source", number_of_[index], recorded.ordinal, spec.ordinal);
  is("prompt tokens", number_of_[index], recorded.prompt_tokens, spec.prompt_tokens);
}

/// The step has the recorded requests, at the recorded places of their texts, in the recorded order.
bool RecordedRunner::same_rows(const RunnerRows& rows) {
  if (!is("steps begin", -1, static_cast<std::int64_t>(recording_.steps.size()),
          std::max(step_ + 1, static_cast<std::int64_t>(recording_.steps.size()))))
    return false;
  const RecordedStep& step = recording_.steps[static_cast<std::size_t>(step_)];
  if (!is("requests decode", -1, step.decode_requests, static_cast<std::int64_t>(rows.size()))) return false;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::int64_t request = recording_.rounds.request[first_round_ + r];
    if (!is("is the request in its place", request, request,
            number_of_[static_cast<std::size_t>(rows.id[r])]) ||
        !is("is its anchor's position", request, recording_.rounds.anchor_position[first_round_ + r],
            rows.anchor_position[r])) {
      return false;
    }
  }
  return true;
}

void RecordedRunner::fill(std::vector<float>& column, const std::vector<float>& recorded,
                          std::size_t rows) const {
  const int positions = std::max(1, recording_.block_size);
  column.assign(rows * static_cast<std::size_t>(positions), 0.0f);
  if (recorded.empty()) return;
  for (std::size_t r = 0; r < rows; ++r) {
    for (int k = 1; k <= positions; ++k) {
      const float value = recorded[recording_.rounds.at(first_round_ + r, k)];
      if (!std::isnan(value)) column[static_cast<std::size_t>(k - 1) * rows + r] = value;
    }
  }
}

DraftColumns RecordedRunner::draft(const RunnerRows& rows, std::span<const int> block_size,
                                   const DraftRules& rules) {
  drafted_.assign(rows.size(), 0);
  signals_ = rules.signals;
  const bool same = same_rows(rows);
  for (std::size_t r = 0; same && r < rows.size(); ++r) {
    const std::size_t round = first_round_ + r;
    if (is("draft tokens planned", recording_.rounds.request[round], recording_.planned[round],
           block_size[r]))
      drafted_[r] = recording_.rounds.drafted[round];
  }
  static const std::vector<float> kNothing;
  const auto played = [&](std::vector<float>& column, const std::vector<float>& recorded, bool asked) {
    if (asked) {
      fill(column, same ? recorded : kNothing, rows.size());
    } else {
      column.clear();
    }
  };
  const Rounds& rounds = recording_.rounds;
  played(confidence_, rounds.confidence, true);
  played(top1_, rounds.top1, (signals_ & kTop1) != 0);
  played(margin_, rounds.margin, (signals_ & kMargin) != 0);
  played(entropy_, rounds.entropy, (signals_ & kEntropy) != 0);
  played(chosen_, rounds.chosen, (signals_ & kChosen) != 0);
  const DraftColumns columns{.stride = rows.size(),
                             .drafted = drafted_,
                             .confidence = confidence_,
                             .top1 = top1_,
                             .margin = margin_,
                             .entropy = entropy_,
                             .chosen = chosen_};
  const int depth = *std::max_element(block_size.begin(), block_size.end());
  if (rules.calibration != nullptr) rules.calibration->apply(columns, depth, confidence_);
  if (rules.stop != nullptr) {
    for (std::size_t r = 0; r < rows.size(); ++r)
      drafted_[r] = drafted_until_stop(*rules.stop, columns, static_cast<int>(r), drafted_[r]);
  }
  return columns;
}

Verified RecordedRunner::verify(const RunnerRows& rows, std::span<const int> submitted,
                                const StepShape& shape) {
  accepted_.assign(rows.size(), 0);
  divergence_.clear();
  StepSeconds seconds{.verify = 1};  // of a step that was never recorded
  if (same_rows(rows)) {
    const RecordedStep& step = recording_.steps[static_cast<std::size_t>(step_)];
    is("prompt rows", -1, step.prefill_rows, shape.prefill_rows);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const std::size_t round = first_round_ + r;
      if (is("draft tokens verified", recording_.rounds.request[round], recording_.rounds.verified[round],
             submitted[r])) {
        accepted_[r] = recording_.rounds.accepted[round];
      }
    }
    if ((signals_ & kDivergence) != 0 && shape.verified_tokens > 0 && !recording_.divergence.empty())
      fill(divergence_, recording_.divergence, rows.size());
    seconds = step.seconds;
    first_round_ += rows.size();
  }
  ++step_;
  signals_ = kConfidenceOnly;
  return {.accepted = accepted_, .divergence = divergence_, .seconds = seconds};
}

std::optional<ReplayDifference> RecordedRunner::final_difference() const {
  if (difference_) return difference_;
  const auto recorded = static_cast<std::int64_t>(recording_.steps.size());
  if (step_ == recorded) return std::nullopt;
  return ReplayDifference{step_, -1, "steps in all", recorded, step_};
}

}  // namespace dspark
