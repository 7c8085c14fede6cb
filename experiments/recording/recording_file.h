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
};

/// As the content of a result file: /rounds (also rounds_hdf5.h), /steps, /requests, /belief.
ResultFile recording_file(const Experiment& experiment, const RecordedExperiment& recorded);

/// Back from the file named `path`. Errors: another file, damage, a table that is not as `recording_file`
/// makes it, numbers that no run gives, with their row.
Result<RecordedExperiment> read_recording(const std::string& path);

constexpr const char* kRecordingKind = "recording";  // attribute `kind`
constexpr std::int64_t kRecordingVersion = 1;
constexpr std::string_view kRecordedInput = "input:";  // attributes: the files that the experiment names

/// Whether it is a recording by its attributes, be its tables what they may.
bool is_recording(const ResultFile& file);

}  // namespace dspark
