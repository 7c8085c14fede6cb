#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "policies/cost/step_cost.h"
#include "policies/error.h"

namespace dspark {

/// How fast a real machine was around a run: the seconds of one small step, the same in every run of the
/// model, before and after it. What differs between runs is the computer's own drift.
struct BaselineStep {
  double before = 0;
  double after = 0;

  bool operator==(const BaselineStep&) const = default;
};

/// What a real machine took in one replication. Durations steer batches and depths, so a run on it is a
/// function of its experiment and of this; kept, it can be served again (Scenario::replay).
struct StepRecording {
  std::vector<StepSeconds> steps = {};  // in order; each part finite and >= 0, in all > 0
  /// The step costs that policies believed, where the machine measured them; none where the experiment says.
  std::optional<AffineCost> belief = {};
  std::optional<BaselineStep> baseline = {};  // no part of what the run is a function of

  bool operator==(const StepRecording&) const = default;
};

/// The first number that cannot have been measured, with its step (from 0); nullopt where all can.
std::optional<Error> find_spoilt(const StepRecording& recording);

/// Stands between what a step of a real machine took and what the engine hears of it.
class StepDurations {
 public:
  virtual ~StepDurations() = default;
  /// The duration of the next step, of which `measured` is what it took here.
  virtual StepSeconds next(const StepSeconds& measured) = 0;
};

/// Writes down the durations of a run's steps: those measured or, given a recording, those recorded.
class StepClock final : public StepDurations {
 public:
  /// replayed: null where steps are measured; else it outlives the clock.
  explicit StepClock(const StepRecording* replayed) : replayed_(replayed) {}

  StepSeconds next(const StepSeconds& measured) override;
  /// A step began for which nothing is recorded: what follows is not the run that was recorded.
  bool ran_out() const { return ran_out_; }
  /// Asked once the run has ended: an error where it had more or fewer steps than were recorded.
  std::optional<Error> mismatch() const;
  std::vector<StepSeconds> take_steps() { return std::move(steps_); }

 private:
  const StepRecording* replayed_;
  std::vector<StepSeconds> steps_;
  bool ran_out_ = false;
};

}  // namespace dspark
