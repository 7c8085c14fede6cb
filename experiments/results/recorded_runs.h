#pragma once

#include <string>
#include <vector>

#include "experiments/results/result_file.h"
#include "experiments/schema/experiment.h"
#include "experiments/sweep/runner.h"

namespace dspark {

/// The tables /recordings and /durations (docs/results.md): what was measured, so that it can be served
/// again. None where nothing was.
std::vector<Table> recording_tables(const Experiment& experiment, const SweepResults& results);

/// The recorded runs of `file`, named `path` in messages, that the experiment's measured points are to
/// repeat; points are found by their digests, whatever their numbers in that sweep were. Errors: nothing
/// measured in the file or in the experiment; the recording of another experiment; a point or a replication
/// that was not recorded; numbers that no clock gives; tables that are not as `recording_tables` makes them.
Result<RecordedRuns> read_recorded_runs(const ResultFile& file, const std::string& path,
                                        const Experiment& experiment);

}  // namespace dspark
