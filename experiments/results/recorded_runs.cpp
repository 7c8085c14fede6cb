#include "experiments/results/recorded_runs.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <map>

namespace dspark {
namespace {

constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

Table empty_recordings() {
  const std::string belief =
      "of the line that policies believed as a step's cost; NaN where the experiment gave it";
  return {"recordings",
          "measured runs: what dspark run --durations serves again",
          false,
          {{"point", "1", "row of /points", Integers{}},
           {"replication", "1", "number from 0", Integers{}},
           {"point_digest", "", "of all that the run is a function of beside its durations", Texts{}},
           {"steps", "1", "its rows in /durations", Integers{}},
           {"belief_bias_seconds", "s", "constant " + belief, Numbers{}},
           {"belief_seconds_per_request", "s", "slope by requests " + belief, Numbers{}},
           {"belief_seconds_per_token", "s", "slope by rows " + belief, Numbers{}},
           {"baseline_before_seconds", "s", "of a step of one row right before the run", Numbers{}},
           {"baseline_after_seconds", "s", "of the same step right after it", Numbers{}}}};
}

Table empty_durations() {
  return {"durations",
          "what each step of a measured run took, in the order of /recordings and of the steps",
          false,
          {{"point", "1", "row of /points", Integers{}},
           {"replication", "1", "number from 0", Integers{}},
           {"draft_seconds", "s", "drafting, and what the drafter was told of the step", Numbers{}},
           {"verify_seconds", "s", "the target's pass, prompts too, and acceptance", Numbers{}},
           {"overhead_seconds", "s", "between them: the policy's choice", Numbers{}}},
          /*compressed=*/true};
}

template <class T>
T& values(Table& table, std::size_t column) {
  return std::get<T>(table.columns[column].values);
}

void add_recording(Table& recordings, std::int64_t point, std::int64_t replication, const Digest& digest,
                   const StepRecording& recording) {
  values<Integers>(recordings, 0).push_back(point);
  values<Integers>(recordings, 1).push_back(replication);
  values<Texts>(recordings, 2).push_back(hex(digest));
  values<Integers>(recordings, 3).push_back(static_cast<std::int64_t>(recording.steps.size()));
  const AffineCost belief = recording.belief.value_or(AffineCost{kNotMeasured, kNotMeasured, kNotMeasured});
  values<Numbers>(recordings, 4).push_back(belief.bias_seconds);
  values<Numbers>(recordings, 5).push_back(belief.seconds_per_request);
  values<Numbers>(recordings, 6).push_back(belief.seconds_per_token);
  const BaselineStep baseline = recording.baseline.value_or(BaselineStep{kNotMeasured, kNotMeasured});
  values<Numbers>(recordings, 7).push_back(baseline.before);
  values<Numbers>(recordings, 8).push_back(baseline.after);
}

void add_durations(Table& durations, std::int64_t point, std::int64_t replication,
                   const StepRecording& recording) {
  for (const StepSeconds& step : recording.steps) {
    values<Integers>(durations, 0).push_back(point);
    values<Integers>(durations, 1).push_back(replication);
    values<Numbers>(durations, 2).push_back(step.draft);
    values<Numbers>(durations, 3).push_back(step.verify);
    values<Numbers>(durations, 4).push_back(step.overhead);
  }
}

using RunOf =
    std::pair<std::int64_t, std::int64_t>;  // point and replication, as the recorded sweep numbers them

/// What a file holds: each point's number by its digest, and each run.
struct Recorded {
  std::multimap<std::string, std::int64_t> points;  // equal digests in the order of their numbers
  std::map<RunOf, RecordedRun> runs;
};

/// Reads both tables row by row; nullopt where they are not as they are written.
class RecordedReader {
 public:
  explicit RecordedReader(const ResultFile& file)
      : recordings_(file.table("recordings")),
        durations_(file.table("durations")),
        digests_(file.table("digests")) {}

  std::optional<Recorded> read() {
    if (!same_columns(recordings_, empty_recordings()) || !same_columns(durations_, empty_durations()))
      return {};
    if (!read_digests()) return {};
    Recorded recorded;
    std::int64_t last_point = -1;
    for (std::size_t row = 0; row < recordings_.rows(); ++row) {
      const RunOf of{recordings_.integers("point")[row], recordings_.integers("replication")[row]};
      RecordedRun run;
      if (!read_steps(of, recordings_.integers("steps")[row], run.recording)) return {};
      read_belief(row, run.recording);
      read_baseline(row, run.recording);
      const auto digest = trace_digests_.find(of);
      if (digest == trace_digests_.end() || of.first < last_point) return {};
      run.digest = digest->second;
      if (of.first != last_point) recorded.points.emplace(recordings_.texts("point_digest")[row], of.first);
      last_point = of.first;
      if (!recorded.runs.emplace(of, std::move(run)).second) return {};
    }
    return next_step_ == durations_.rows() ? std::optional(std::move(recorded)) : std::nullopt;
  }

 private:
  static bool same_columns(const Table& table, const Table& expected) {
    if (table.columns.size() != expected.columns.size()) return false;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const Column& column = table.columns[i];
      if (column.name != expected.columns[i].name || column.size() != table.rows() ||
          column.values.index() != expected.columns[i].values.index()) {
        return false;
      }
    }
    return true;
  }

  bool read_digests() {
    const Integers& points = digests_.integers("point");
    const Integers& replications = digests_.integers("replication");
    const Texts& texts = digests_.texts("digest");
    if (points.size() != texts.size() || replications.size() != texts.size()) return false;
    for (std::size_t row = 0; row < texts.size(); ++row) {
      std::array<std::uint64_t, 2> digest{};
      if (texts[row].size() != 32) return false;
      for (std::size_t half = 0; half < 2; ++half) {
        const char* begin = texts[row].data() + 16 * half;
        const auto [end, failure] = std::from_chars(begin, begin + 16, digest[half], 16);
        if (failure != std::errc() || end != begin + 16) return false;
      }
      trace_digests_[{points[row], replications[row]}] = digest;
    }
    return true;
  }

  bool read_steps(const RunOf& of, std::int64_t steps, StepRecording& recording) {
    if (steps < 0 || static_cast<std::size_t>(steps) > durations_.rows() - next_step_) return false;
    const Integers& points = durations_.integers("point");
    const Integers& replications = durations_.integers("replication");
    const Numbers& draft = durations_.numbers("draft_seconds");
    const Numbers& verify = durations_.numbers("verify_seconds");
    const Numbers& overhead = durations_.numbers("overhead_seconds");
    for (const std::size_t end = next_step_ + static_cast<std::size_t>(steps); next_step_ < end;
         ++next_step_) {
      if (RunOf{points[next_step_], replications[next_step_]} != of) return false;
      recording.steps.push_back({draft[next_step_], verify[next_step_], overhead[next_step_]});
    }
    return true;
  }

  void read_belief(std::size_t row, StepRecording& recording) const {
    const AffineCost belief{recordings_.numbers("belief_bias_seconds")[row],
                            recordings_.numbers("belief_seconds_per_request")[row],
                            recordings_.numbers("belief_seconds_per_token")[row]};
    const bool none = std::isnan(belief.bias_seconds) && std::isnan(belief.seconds_per_request) &&
                      std::isnan(belief.seconds_per_token);
    if (!none) recording.belief = belief;
  }

  void read_baseline(std::size_t row, StepRecording& recording) const {
    const BaselineStep baseline{recordings_.numbers("baseline_before_seconds")[row],
                                recordings_.numbers("baseline_after_seconds")[row]};
    if (!std::isnan(baseline.before) && !std::isnan(baseline.after)) recording.baseline = baseline;
  }

  const Table& recordings_;
  const Table& durations_;
  const Table& digests_;
  std::map<RunOf, std::array<std::uint64_t, 2>> trace_digests_;
  std::size_t next_step_ = 0;
};

/// The runs of one point, into those of its units.
std::optional<Error> take_point(Recorded& recorded, const std::string& path, const Experiment& experiment,
                                std::size_t point, RecordedRuns& runs) {
  const std::string name = experiment.points[point].name(experiment.axes);
  const auto found = recorded.points.find(hex(experiment.points[point].digest));
  if (found == recorded.points.end()) {
    return Error{fmt::format("'{}' holds no durations of {}", path, name),
                 {},
                 "they are of another experiment, seed, version or model, or of other points"};
  }
  const auto replications = static_cast<std::size_t>(experiment.replications);
  for (std::size_t replication = 0; replication < replications; ++replication) {
    const auto run = recorded.runs.find({found->second, static_cast<std::int64_t>(replication)});
    if (run == recorded.runs.end()) {
      return Error{fmt::format("'{}' holds no durations of {}, replication {}", path, name, replication),
                   {},
                   "--set replications=N with as many as were recorded"};
    }
    if (const auto spoilt = find_spoilt(run->second.recording)) {
      return Error{fmt::format("'{}' holds durations that no clock gives: {}, replication {}, {}", path, name,
                               replication, spoilt->message)};
    }
    runs[point * replications + replication] = std::move(run->second);
    recorded.runs.erase(run);
  }
  recorded.points.erase(found);  // the next point of the same digest has runs of its own
  return std::nullopt;
}

}  // namespace

std::vector<Table> recording_tables(const Experiment& experiment, const SweepResults& results) {
  Table recordings = empty_recordings();
  Table durations = empty_durations();
  const auto replications = static_cast<std::size_t>(experiment.replications);
  for (std::size_t unit = 0; unit < results.size(); ++unit) {
    if (!results[unit]->recording) continue;
    const auto point = static_cast<std::int64_t>(unit / replications);
    const auto replication = static_cast<std::int64_t>(unit % replications);
    add_recording(recordings, point, replication, experiment.points[unit / replications].digest,
                  *results[unit]->recording);
    add_durations(durations, point, replication, *results[unit]->recording);
  }
  if (recordings.rows() == 0) return {};
  return {std::move(recordings), std::move(durations)};
}

Result<RecordedRuns> read_recorded_runs(const ResultFile& file, const std::string& path,
                                        const Experiment& experiment) {
  if (file.table("recordings").rows() == 0) {
    return Error{fmt::format("'{}' holds no durations: nothing in it was measured", path)};
  }
  auto recorded = RecordedReader(file).read();
  if (!recorded) return Error{fmt::format("'{}' is not as dspark writes it: tables of durations", path)};
  RecordedRuns runs(experiment.points.size() * static_cast<std::size_t>(experiment.replications));
  bool any_measured = false;
  for (std::size_t point = 0; point < experiment.points.size(); ++point) {
    if (!experiment.points[point].scenario->is_measured()) continue;
    any_measured = true;
    if (auto error = take_point(*recorded, path, experiment, point, runs)) return *std::move(error);
  }
  if (!any_measured) {
    return Error{fmt::format("no point of '{}' is measured", experiment.path),
                 {},
                 "--durations is for machine.use: executor"};
  }
  return runs;
}

}  // namespace dspark
