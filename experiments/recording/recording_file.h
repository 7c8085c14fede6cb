#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "experiments/results/result_file.h"
#include "experiments/schema/experiment.h"
#include "sim/recording/run_recording.h"

namespace dspark {

/// A recorded run and the experiment that it is of: all that its replay needs (docs/recording.md).
struct RecordedExperiment {
  KeptExperiment experiment = {};
  std::uint32_t replication = 0;
  std::array<std::uint64_t, 2> digest = {};  // of the run's event trace
  RunRecording recording = {};
  bool has_dense_rounds = false;  // set by read_recording: the file holds /dense_rounds too
};

/// As the content of a result file: /rounds, /steps, /requests, /belief, and /dense_rounds where there are
/// any (rounds_hdf5.h reads those of both kinds).
/// dense: rounds from every position of the replies; empty where they were not asked for.
ResultFile recording_file(const Experiment& experiment, const RecordedExperiment& recorded,
                          const Rounds& dense = {});

/// Back from the file named `path`, but for the dense rounds, which rounds_hdf5.h reads. Errors: another
/// file, damage, a table that is not as `recording_file` makes it, numbers that no run gives, with their row.
Result<RecordedExperiment> read_recording(const std::string& path);

constexpr const char* kRecordingKind = "recording";  // attribute `kind`
constexpr std::int64_t kRecordingVersion = 1;
constexpr std::string_view kRecordedInput = "input:";  // attributes: the files that the experiment names

/// Whether it is a recording by its attributes, be its tables what they may.
bool is_recording(const ResultFile& file);

}  // namespace dspark
