#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/engine/runner.h"
#include "sim/recording/run_recording.h"
#include "sim/scenario.h"

namespace dspark {

/// Where a run does other things than the recorded one.
struct ReplayDifference {
  std::int64_t step = 0;
  std::int64_t request = -1;  // number in the recording; -1: the step as a whole
  std::string what = {};      // "draft tokens verified"
  std::int64_t recorded = 0;
  std::int64_t replayed = 0;
};
std::string to_string(const ReplayDifference& difference);

/// What a recorded run did when it was played again.
struct RunReplay {
  std::optional<ReplayDifference> difference = {};  // the first; none: it is the recorded run, step by step
  std::int64_t steps = 0;                           // played
  std::int64_t rounds = 0;
  ReplicationResult result = {};  // where there is no difference
};

/// Plays a recorded run: the drafts, signals, outcomes and durations of its rounds, to the same engine with
/// the same policy. What the engine asks of it must be what it asked of the real machine, step by step and
/// request by request; the first difference is kept, and everything after it means nothing.
class RecordedRunner final : public Runner {
 public:
  /// recording: one that find_spoilt passes; outlives the runner.
  explicit RecordedRunner(const RunRecording& recording) : recording_(recording) {}

  int block_size() const override { return recording_.block_size; }
  void entered(RequestId id, const RequestSpec& spec) override;
  DraftColumns draft(const RunnerRows& rows, std::span<const int> block_size,
                     const DraftRules& rules) override;
  Verified verify(const RunnerRows& rows, std::span<const int> submitted, const StepShape& shape) override;

  /// Steps played.
  std::int64_t steps() const { return step_; }
  std::int64_t rounds() const { return static_cast<std::int64_t>(first_round_); }
  /// The first difference, if any.
  const std::optional<ReplayDifference>& difference() const { return difference_; }
  /// As `difference`, asked once the run has ended: also where it is shorter than the recorded one.
  std::optional<ReplayDifference> final_difference() const;

 private:
  bool is(const char* what, std::int64_t request, std::int64_t recorded, std::int64_t replayed);
  bool same_rows(const RunnerRows& rows);
  /// Columns of the step's rows from a matrix of the recording; 0 where nothing was recorded.
  void fill(std::vector<float>& column, const std::vector<float>& recorded, std::size_t rows) const;

  const RunRecording& recording_;
  std::vector<std::int64_t> number_of_;  // by RequestId
  std::int64_t entered_ = 0;
  std::int64_t step_ = 0;
  std::size_t first_round_ = 0;  // of the step
  std::optional<ReplayDifference> difference_;

  std::vector<int> drafted_, accepted_;
  std::vector<float> confidence_, top1_, margin_, entropy_, chosen_, divergence_;
  unsigned signals_ = kConfidenceOnly;  // asked for in this step
};

}  // namespace dspark
