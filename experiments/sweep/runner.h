#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "experiments/schema/experiment.h"
#include "experiments/sweep/progress.h"
#include "experiments/sweep/result_log.h"

namespace dspark {

/// The results of a sweep by unit = point · replications + replication; empty where not run yet.
using SweepResults = std::vector<std::optional<ReplicationResult>>;

/// A measured run that is to be served again, and what it did: the digest of its event trace.
struct RecordedRun {
  StepRecording recording = {};
  std::array<std::uint64_t, 2> digest = {};

  bool operator==(const RecordedRun&) const = default;
};
/// By unit; empty where nothing is measured.
using RecordedRuns = std::vector<std::optional<RecordedRun>>;

/// An empty result for every unit, filled with those an earlier run finished. Records that are not of this
/// experiment's units are ignored.
SweepResults results_so_far(const Experiment& experiment, std::vector<LogRecord> finished);

struct SweepOutcome {
  bool interrupted = false;
  std::optional<Error> run_error;  // a simulation could not be carried out
  std::optional<Error> log_error;  // the log could not be written
  bool finished() const { return !interrupted && !run_error && !log_error; }
};

/// Runs every unit that has no result, on `jobs` threads, in order of their numbers; those of real machines
/// afterwards, one at a time. Each is appended to `log` and then stands in `results`. Ends early where `stop`
/// becomes true. Results do not depend on `jobs`: a unit's numbers are a function of the experiment, its
/// point and replication alone, and where it is measured of the computer. Measured units with a run in
/// `recorded` (empty: none has) are served again with its durations; one that does anything else than the
/// recorded run did is an error.
SweepOutcome run_sweep(const Experiment& experiment, int jobs, SweepResults& results, ResultLog& log,
                       Progress& progress, std::atomic<bool>& stop, const RecordedRuns& recorded = {});

}  // namespace dspark
