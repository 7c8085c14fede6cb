#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/recording/fitted_steps.h"
#include "experiments/recording/recording_file.h"

namespace dspark {

/// What a recording says about other policies.
struct RecordingReach {
  std::size_t rounds = 0;
  /// Rounds whose block could have been longer, had the policy or its batch not cut it.
  std::size_t cut = 0;
  /// The first of them.
  std::int64_t cut_request = -1, cut_round = -1;
  /// Rounds in which the drafter had less to propose than it was asked for.
  std::size_t short_drafts = 0;
};
RecordingReach reach_of(const RunRecording& recording);

/// The rounds for a modelled machine, whose drafter always proposes a whole block: one that proposed less is
/// completed by tokens that are sure to be rejected, of confidence 0 and all other signals 0. planned: what
/// it was asked for by round; empty: whole blocks in all.
Rounds with_whole_blocks(Rounds rounds, std::span<const std::int32_t> planned);

/// What an experiment on recorded rounds changes of the recorded one.
struct ReplayChanges {
  std::vector<std::string> policies;  // as experiments write them; empty: the recorded one
  std::vector<int> users;             // empty: the recorded load
  std::string costs;                  // YAML of machine.modelled's costs, one key a line; see *_costs below
};

/// The costs of an experiment's machine.modelled, its tables' paths made relative to `folder`. Errors: not an
/// experiment, no such machine.
Result<std::string> given_costs(const std::string& experiment, const std::string& folder);
/// Costs fitted to recorded steps. draft_table: name of the CSV file of `draft_cost_csv`.
std::string fitted_costs(const FittedSteps& fitted, const std::string& draft_table);
std::string draft_cost_csv(const FittedSteps& fitted);

/// The experiment in YAML: the recorded one's engine, workload and stop rule on a modelled machine that plays
/// the rounds of the recording, which is at `recording_path` as seen from the experiment. Errors: the
/// recorded experiment cannot be read.
Result<std::string> replayed_experiment(const RecordedExperiment& recorded, const std::string& recording_path,
                                        const ReplayChanges& changes);

/// First line of the experiments that replayed_experiment writes.
constexpr const char* kReplayedExperimentHead =
    "# Recorded rounds under other policies and loads (dspark replay).";

}  // namespace dspark
