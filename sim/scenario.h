#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "policies/calibration/rounds.h"
#include "policies/error.h"
#include "policies/parameters.h"
#include "sim/step_recording.h"

namespace dspark {

class Watcher;
struct MachineEntry;
struct RunRecording;
struct RunReplay;

/// What a metric is; the definitions are those of docs/metrics.md.
struct MetricInfo {
  std::string
      name;  // per-position metrics are `name.k` in results, k from 1; quantiles are names of their own
  std::string unit;  // "1" where dimensionless
  std::string description;
  bool by_position = false;
};
/// All metrics, in the order of every result.
const std::vector<MetricInfo>& metric_catalogue();

/// One value of one replication; not measurable values (no request finished, no draft made) are absent.
struct MetricValue {
  std::string name;
  double value = 0;
};

/// The system by windows of virtual time, warm-up included.
struct SeriesWindow {
  double start_seconds = 0;
  double width_seconds = 0;
  double throughput = 0;           // output tokens per second
  double running_requests = 0;     // mean over the window's steps
  double waiting_requests = 0;     // likewise
  double verification_length = 0;  // draft tokens verified per decoding request and step
  double batch_tokens = 0;         // rows per step
};

/// Share of drafted tokens accepted by predicted confidence, over verified positions.
struct ReliabilityBin {
  int bin = 0;  // of 20 equal-width bins on [0, 1]
  double count = 0;
  double mean_confidence = 0;
  double accepted_share = 0;
};

struct ReplicationResult {
  std::vector<MetricValue> metrics;
  std::vector<SeriesWindow> series;
  std::vector<ReliabilityBin> reliability;
  std::array<std::uint64_t, 2> digest{};  // of the event trace
  std::int64_t events = 0;
  double simulated_seconds = 0;
  std::optional<StepRecording> recording = {};  // where steps were measured, now or when they were recorded
};

/// A number that was fitted to, or predicted for, a published measurement while a scenario was read: every
/// comparison says which is which.
struct FitLine {
  std::string what;  // "user speed of k7"
  std::string role;  // fitted | predicted | solved | interpolated | extrapolated
  std::string unit;
  double measured = 0;  // NaN where nothing was measured
  double modelled = 0;
};

/// One experiment point, validated: machine, engine, workload, policy and stop rule. Immutable after `read`,
/// so threads share it; each `run` builds its own simulation, policy object included.
class Scenario {
 public:
  virtual ~Scenario() = default;

  /// Reads the keys `machine`, `engine`, `workload`, `policy`, `confidence` and `stop` of `parameters`. Adds
  /// every error found to `parameters` (the caller calls `finish`); returns nullptr where there was any.
  /// `machines`: kinds beside the modelled one that `machine.use` may name.
  static std::unique_ptr<const Scenario> read(Parameters& parameters,
                                              std::span<const MachineEntry> machines = {});

  /// Runs one replication. The same (seed, replication) gives the same result on any thread. Stops early with
  /// an error where `cancelled` becomes true, and where the workload can never be served (a request larger
  /// than the KV cache with nothing else left to do is counted as rejected instead, see the metric
  /// `rejected_requests`).
  /// `also` sees what the metrics see, and changes nothing; nullptr: nobody.
  virtual Result<ReplicationResult> run(std::uint64_t seed, std::uint32_t replication,
                                        const std::atomic<bool>* cancelled = nullptr,
                                        Watcher* also = nullptr) const = 0;

  /// A measured replication again: the machine computes what it did, the clock and the policies' belief are
  /// those recorded. With the recording of a run, its result is that run's, in every bit. Errors: as `run`;
  /// a recording of more or fewer steps than the run has; nothing is measured here.
  virtual Result<ReplicationResult> replay(std::uint64_t, std::uint32_t, const StepRecording&,
                                           const std::atomic<bool>* cancelled = nullptr) const {
    static_cast<void>(cancelled);
    return Error{"its steps are computed, not measured"};
  }

  /// As `run` on a real machine, every round of it in `recording` (Runs of modelled machines are not worth
  /// it: they can be had again). Errors: as `run`; nothing is measured here.
  virtual Result<ReplicationResult> record(std::uint64_t, std::uint32_t, RunRecording& recording,
                                           const std::atomic<bool>* cancelled = nullptr,
                                           Watcher* also = nullptr) const {
    static_cast<void>(recording), static_cast<void>(cancelled), static_cast<void>(also);
    return Error{"its steps are computed, not measured"};
  }
  /// Rounds that start at every position of the replies that `record` has just recorded (Machine).
  virtual Result<Rounds> record_dense(std::uint64_t, std::uint32_t, const RunRecording& recording,
                                      const std::function<bool(std::size_t)>& progress) const {
    static_cast<void>(recording), static_cast<void>(progress);
    return Error{"its steps are computed, not measured"};
  }
  /// A recorded replication again, by the engine and the policy alone: rounds, outcomes and durations are
  /// those recorded, and no model is needed. Errors: as `run`; a recording of another machine.
  virtual Result<RunReplay> play(std::uint64_t seed, std::uint32_t replication, const RunRecording& recording,
                                 const std::atomic<bool>* cancelled = nullptr) const;
  /// Requests that a run finishes, warm-up included; 0: not known.
  virtual std::int64_t requests() const { return 0; }

  virtual const std::vector<FitLine>& fits() const = 0;
  virtual bool policy_is_lossless() const = 0;
  /// Its steps take real time: it must run alone on the computer, and no run gives the same durations again.
  virtual bool is_measured() const { return false; }
  /// Files whose content its numbers depend on, beside those that its parameters read (Machine::model_files).
  virtual std::vector<std::string> model_files() const { return {}; }
};

/// One line of `dspark list`: everything that can be named in an experiment, with its parameters.
struct CatalogueEntry {
  std::string kind;  // policy | confidence | batching | arrivals | lengths | acceptance | machine
  std::string name;
  std::string meaning;
  std::vector<ParameterRecord> parameters;
};
std::vector<CatalogueEntry> catalogue(std::span<const MachineEntry> machines = {});

/// The parameters of a whole scenario, for the reference page.
std::vector<ParameterRecord> describe_scenario(std::span<const MachineEntry> machines = {});

}  // namespace dspark
