#include "experiments/planning/scenario_replica.h"

#include <algorithm>

#include "experiments/planning/plan_blocks.h"
#include "experiments/schema/experiment.h"
#include "experiments/schema/input_files.h"
#include "experiments/schema/value_text.h"
#include "policies/invariant.h"
#include "sim/scenario.h"

namespace dspark {
namespace {

constexpr int kReplicationBits = 12;
constexpr int kCheckLength = 4;  // a check runs so many times as long as a test of the search
constexpr double kFlood = 1e3;   // times the trace's own rate: more than any replica serves

std::unique_ptr<const Scenario> read_point(const PlanFile& file, const Value& point) {
  InputFiles files(file.inputs);
  Parameters parameters(point, files.loader());
  auto scenario = Scenario::read(parameters);
  DSPARK_INVARIANT(scenario != nullptr);  // every candidate was read before
  return scenario;
}

double metric(const ReplicationResult& result, const char* name) {
  for (const MetricValue& value : result.metrics) {
    if (value.name == name) return value.value;
  }
  return 0;
}

}  // namespace

/// A load, and the replications of it.
struct ScenarioReplica::Test {
  double load = 0;
  int series = 0;
  Value point = {};
  Digest key = {};
  std::unique_ptr<const Scenario> scenario = {};  // read when it is first needed
  std::vector<ReplicaObservation> observations = {};
  std::size_t kept = 0;
  std::int64_t warmup = 0;
  std::int64_t requests = 0;
};

ScenarioReplica::ScenarioReplica(const PlanFile& file, const NamedCandidate& candidate,
                                 const ObservationCache& cache, const std::atomic<bool>* cancelled)
    : file_(file), candidate_(candidate), cache_(cache), cancelled_(cancelled) {}
ScenarioReplica::~ScenarioReplica() = default;

Digest ScenarioReplica::digest(const Value& point, int series) const {
  DigestText text;
  text.add(flow_text(point));
  text.add(std::int64_t{series});
  text.add(static_cast<std::int64_t>(file_.seed));
  text.add(std::int64_t{kResultVersion});
  for (const ServiceLimit& limit : file_.limits) {
    text.add(limit.name);
    text.add(number_text(limit.limit));
  }
  for (const auto& [path, content] : file_.inputs) {
    text.add(path);
    text.add(hex(digest_of(content)));
  }
  return digest_of(text.text());
}

std::optional<double> ScenarioReplica::saturation() const {
  const int users = 2 * candidate_.max_num_seqs;
  const Value arrivals = file_.trace
                             ? thinned_trace(file_, kFlood * file_.trace_rate, kFlood * file_.trace_rate)
                             : saturating_arrivals(users);
  const std::int64_t requests = std::max(file_.requests, std::int64_t{users});
  const Value point =
      candidate_point(candidate_, arrivals, file_.warmup_of(candidate_.max_num_seqs), requests);
  const Digest key = digest(point, 0);
  if (const auto kept = cache_.read_saturation(key)) return kept;
  const auto result = read_point(file_, point)->run(file_.seed, 0, cancelled_);
  if (!result && cancelled_ != nullptr && cancelled_->load()) return std::nullopt;
  const double saturation = result ? metric(*result, "request_rate") : 0;
  cache_.write_saturation(key, saturation);
  return saturation;
}

std::optional<ReplicaObservation> ScenarioReplica::observe(double load, int series, int replication) const {
  if (!test_ || test_->load != load || test_->series != series) {
    test_ = std::make_unique<Test>();
    test_->load = load;
    test_->series = series;
    const Value arrivals =
        file_.trace ? thinned_trace(file_, file_.request.peak, load) : poisson_arrivals(load);
    const int length = series >= kCheckSeries ? kCheckLength : 1;
    test_->warmup = length * file_.warmup_of(candidate_.max_num_seqs);
    test_->requests = length * file_.requests;
    test_->point = candidate_point(candidate_, arrivals, test_->warmup, test_->requests);
    test_->key = digest(test_->point, series);
    test_->observations = cache_.read(test_->key);
    test_->kept = test_->observations.size();
  }
  while (test_->observations.size() <= static_cast<std::size_t>(replication)) {
    auto observation = simulate(static_cast<int>(test_->observations.size()));
    if (!observation) return std::nullopt;
    test_->observations.push_back(*std::move(observation));
  }
  return test_->observations[static_cast<std::size_t>(replication)];
}

std::optional<ReplicaObservation> ScenarioReplica::simulate(int replication) const {
  if (!test_->scenario) test_->scenario = read_point(file_, test_->point);
  LimitWatcher watcher(file_.limits, test_->warmup, test_->requests);
  const auto number = static_cast<std::uint32_t>(test_->series) << kReplicationBits;
  const auto result = test_->scenario->run(file_.seed, number + static_cast<std::uint32_t>(replication),
                                           cancelled_, &watcher);
  if (!result && cancelled_ != nullptr && cancelled_->load()) return std::nullopt;
  ReplicaObservation observation;
  if (result) {
    observation.limits = watcher.readings();
    observation.busy_share = metric(*result, "busy_share");
    observation.user_speed = metric(*result, "user_speed_mean");
  } else {
    observation.error = result.error().message;
  }
  return observation;
}

void ScenarioReplica::end_test() const {
  if (!test_) return;
  if (test_->observations.size() > test_->kept) cache_.write(test_->key, test_->observations);
  test_->kept = test_->observations.size();
  test_->scenario.reset();
}

}  // namespace dspark
