#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/recording/run_recording.h"

namespace dspark {

/// Writes down every round of a runner: what was drafted, with the drafter's own signals, and how it fared.
/// The runner tells it; it changes nothing. One object serves one run.
///
///     RoundRecorder recorder;
///     ExecutorRunner runner(kernels, target, drafter, prompts, key, {.recorder = &recorder});
///     ...
///     const Rounds rounds = recorder.take().rounds;
class RoundRecorder {
 public:
  /// domains: names of RequestSpec::domain; what has none here is recorded without.
  explicit RoundRecorder(std::vector<std::string> domains = {}) : domains_(std::move(domains)) {}

  /// SignalSet that drafters are asked for, whatever the policy reads.
  static constexpr unsigned kSignals = kTop1 | kMargin | kEntropy | kChosen;

  /// Before anything else. block_size: γ of the drafter; 0: there is none.
  void begin(int block_size, bool has_confidence_head);
  void entered(RequestId id, const RequestSpec& spec);
  /// text: prompt and reply.
  void left(RequestId id, std::int32_t produced, std::span<const std::int32_t> text);
  /// A step's blocks as the drafter gave them, before calibration and stop. planned: (rows) 0 .. γ. raw: the
  /// columns of kSignals; those that are empty are not available.
  void drafted(std::span<const int> planned, const DraftColumns& raw);
  /// How the step ended. acceptance: 1 - ½‖p_d - p_t‖₁ of the submitted positions, columns as in
  /// DraftColumns, NaN where not known; empty: not known at all.
  void verified(const RunnerRows& rows, std::span<const int> submitted, const StepShape& shape,
                const Verified& verified, std::span<const float> acceptance);

  std::size_t rounds() const { return recording_.rounds.size(); }
  /// All that was recorded; columns that no round has are empty. The recorder is done.
  RunRecording take();

 private:
  void add_round(const RunnerRows& rows, std::size_t row, int submitted, const Verified& verified,
                 std::span<const float> acceptance);
  std::int32_t domain_of(std::int32_t domain);

  std::vector<std::string> domains_;
  std::vector<std::int32_t> named_;      // by domain: its place among the recording's names; -1: not yet
  std::vector<std::int64_t> number_of_;  // by RequestId: the request that has it
  RunRecording recording_;

  // The blocks of the step, copied: the runner calibrates its own in place.
  std::size_t stride_ = 0;
  std::vector<std::int32_t> planned_, drafted_;
  std::vector<float> confidence_, top1_, margin_, entropy_, chosen_;
};

}  // namespace dspark
