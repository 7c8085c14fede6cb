#include "sim/scenario.h"

#include <fmt/format.h>

#include <algorithm>

#include "policies/batching/batching_policy_registry.h"
#include "policies/calibration/confidence_calibrations.h"
#include "policies/calibration/margin_estimator.h"
#include "policies/depth/depth_policy_registry.h"
#include "policies/invariant.h"
#include "sim/acceptance/survival_presets.h"
#include "sim/machine.h"
#include "sim/metrics/run_metrics.h"
#include "sim/recording/recorded_runner.h"
#include "sim/recording/round_recorder.h"
#include "sim/run_end.h"
#include "sim/scenario_blocks.h"
#include "sim/simulation.h"
#include "sim/workload/arrival_process.h"

namespace dspark {
namespace {

class MachineScenario final : public Scenario {
 public:
  MachineScenario(Parameters& parameters, std::span<const MachineEntry> machines) {
    workload_ = read_workload(parameters.group("workload", "users and their requests", true));
    machine_ = read_machine(parameters.group("machine", "what serves them", true), machines);
    engine_ = read_engine(parameters.group("engine", "the serving engine"));
    engine_.options.ttft_objective_seconds = workload_.objective.ttft_seconds;
    engine_.options.tpot_objective_seconds = workload_.objective.tpot_seconds;
    read_policy(parameters);
    calibration_ = read_confidence_calibration(parameters);
    if (machine_) fit_machine(parameters);
    read_stop(parameters.group("stop", "how long a run is measured"));
  }

  Result<ReplicationResult> run(std::uint64_t seed, std::uint32_t replication,
                                const std::atomic<bool>* cancelled, Watcher* also) const override {
    return serve(seed, replication, {.also = also}, cancelled);
  }
  Result<ReplicationResult> replay(std::uint64_t seed, std::uint32_t replication,
                                   const StepRecording& recording,
                                   const std::atomic<bool>* cancelled) const override {
    if (!is_measured()) return Scenario::replay(seed, replication, recording, cancelled);
    return serve(seed, replication, {.replayed = &recording}, cancelled);
  }
  Result<ReplicationResult> record(std::uint64_t seed, std::uint32_t replication, RunRecording& recording,
                                   const std::atomic<bool>* cancelled, Watcher* also) const override;
  Result<Rounds> record_dense(std::uint64_t seed, std::uint32_t replication, const RunRecording& recording,
                              const std::function<bool(std::size_t)>& progress) const override {
    return machine_->dense_rounds(make_random_key(seed, replication), engine_.options, recording, progress);
  }
  Result<RunReplay> play(std::uint64_t seed, std::uint32_t replication, const RunRecording& recording,
                         const std::atomic<bool>* cancelled) const override;
  std::int64_t requests() const override { return stop_.requests + stop_.warmup_requests; }
  const std::vector<FitLine>& fits() const override { return machine_->fits(); }
  bool is_measured() const override { return machine_->is_real(); }
  std::vector<std::string> model_files() const override { return machine_->model_files(); }
  bool policy_is_lossless() const override { return lossless_; }

 private:
  void read_policy(Parameters& parameters) {
    Selection selection =
        parameters.one_of("policy", depth_policy_names(), "how many draft tokens are verified");
    policy_name_ = selection.name;
    // Constructed once here, so that its parameters are checked, and again by each run, which owns its
    // object.
    const auto policy = make_depth_policy(policy_name_, selection.parameters);
    const PolicyTraits traits = policy->traits();
    lossless_ = traits.lossless;
    if (machine_ && traits.deepest > machine_->block_size()) {
      parameters.add_error(
          fmt::format("policy '{}' asks for {} draft tokens, the drafter's largest block has {}",
                      policy_name_, traits.deepest, machine_->block_size()),
          selection.position, fmt::format("set {}", machine_->block_size_key()));
    }
    if (machine_ && traits.outcomes && !machine_->knows_outcomes()) {
      parameters.add_error(
          fmt::format("policy '{}' sees outcomes before they are verified, which a real machine does "
                      "not know",
                      policy_name_),
          selection.position, "it runs on machine.use: modelled");
    }
    if (machine_) {
      require_signals(parameters, traits.signals, selection.position,
                      fmt::format("policy '{}'", policy_name_));
    }
    if (const Value* written = parameters.raw("policy", "", "")) policy_parameters_ = *written;
  }
  std::unique_ptr<const Machine> read_machine(Parameters machine, std::span<const MachineEntry> others);
  void fit_machine(Parameters& parameters);
  /// A signal that nobody recorded would read as 0.
  void require_signals(Parameters& parameters, unsigned wanted, const Position& position,
                       std::string_view who) const {
    const std::pair<unsigned, const char*> names[] = {{kTop1, "top-1 probability"},
                                                      {kMargin, "margin"},
                                                      {kEntropy, "entropy"},
                                                      {kChosen, "chosen token's probability"},
                                                      {kDivergence, "divergence"}};
    for (const auto& [signal, name] : names) {
      if (!(wanted & signal) || machine_->signals() & signal) continue;
      parameters.add_error(fmt::format("{} reads the {}, which {} not have", who, name,
                                       machine_->is_real() ? "the drafter does" : "the recorded rounds do"),
                           position);
    }
  }
  void read_stop(Parameters parameters) {
    stop_.requests = parameters.integer("requests", {.min = 1,
                                                     .max = 1'000'000'000,
                                                     .default_value = 2000,
                                                     .unit = "requests",
                                                     .meaning = "measured: finished after the warm-up"});
    const std::int64_t least = std::max<std::int64_t>(200, std::int64_t{3} * workload_.arrivals->users());
    stop_.warmup_requests = parameters.integer(
        "warmup_requests",
        {.min = 0,
         .max = 1'000'000'000,
         .default_value = least,
         .unit = "requests",
         .meaning = "finished before measuring starts; default: the larger of 200 and three per user"});
  }
  std::unique_ptr<DepthPolicy> make_policy() const;
  /// What a replication is served with beside the machine.
  struct Serving {
    const StepRecording* replayed = nullptr;  // what the steps are to take; null: what they do take
    RoundRecorder* recorder = nullptr;
    RecordedRunner* player = nullptr;  // in the machine's place, of `played`
    const RunRecording* played = nullptr;
    Watcher* also = nullptr;
  };
  Result<Machine::Start> start_played(const RunRecording& recording) const;
  Result<ReplicationResult> serve(std::uint64_t seed, std::uint32_t replication, const Serving& with,
                                  const std::atomic<bool>* cancelled) const;

  Workload workload_;
  std::unique_ptr<const Machine> machine_;
  EngineBlock engine_;
  StopRule stop_;
  std::string policy_name_;
  Value policy_parameters_;
  ConfidenceCalibrationMaker calibration_;
  bool lossless_ = true;
};

/// The machine that `use` names. The blocks of the others may stand beside it: one file for several machines.
std::unique_ptr<const Machine> MachineScenario::read_machine(Parameters machine,
                                                             std::span<const MachineEntry> others) {
  std::vector<MachineEntry> entries = {modelled_machine_entry()};
  entries.insert(entries.end(), others.begin(), others.end());
  std::vector<std::string> names;
  for (const MachineEntry& entry : entries) names.push_back(entry.name);
  const std::string use =
      machine.choice("use", {.options = names,
                             .default_value = "modelled",
                             .meaning = "which of the machine blocks runs the experiment"});
  std::unique_ptr<const Machine> used;
  for (const MachineEntry& entry : entries) {
    const bool is_used = entry.name == use;
    if (!is_used && !machine.given(entry.name) && !machine.is_describing()) continue;
    Parameters block = machine.group(entry.name, entry.meaning, is_used);
    auto read = entry.read(block, workload_.shapes->domains());
    if (is_used) used = std::move(read);
  }
  return used;
}

/// What machine and engine ask of each other.
void MachineScenario::fit_machine(Parameters& parameters) {
  engine_.options.kv_blocks = machine_->kv_blocks();
  engine_.options.block_tokens = machine_->block_tokens();
  if (calibration_) {
    require_signals(parameters, calibration_(std::max(1, machine_->block_size()))->signals(),
                    parameters.position_of("confidence"), "the margin estimator");
  }
  if (engine_.options.prefill == Prefill::kElsewhere && !machine_->prefills_elsewhere() &&
      !parameters.is_describing()) {
    parameters.add_error("a real machine computes its prompts itself", parameters.position_of("engine"),
                         "set engine.prefill: in_step");
  }
}

std::unique_ptr<DepthPolicy> MachineScenario::make_policy() const {
  const auto named = read_named_value(policy_parameters_);
  DSPARK_INVARIANT(static_cast<bool>(named));
  Parameters parameters(named->parameters, {}, named->shorthand);
  auto policy = make_depth_policy(policy_name_, parameters);
  DSPARK_INVARIANT(policy != nullptr && parameters.errors().empty());
  return policy;
}

/// The recorded run's machine, but for its runner.
Result<Machine::Start> MachineScenario::start_played(const RunRecording& recording) const {
  const int block_size = machine_->block_size();
  if (!machine_->is_real() || recording.block_size != block_size) {
    return Error{fmt::format("the recording is of blocks of {} tokens, the experiment's have {}",
                             recording.block_size, block_size)};
  }
  Machine::Start start{.runner = nullptr, .belief = machine_->given_belief()};
  start.belief_is_measured = start.belief == nullptr;
  if (block_size > 0 && !recording.has_confidence_head)
    start.calibration = std::make_unique<MarginEstimator>(block_size);
  return start;
}

Result<ReplicationResult> MachineScenario::serve(std::uint64_t seed, std::uint32_t replication,
                                                 const Serving& with,
                                                 const std::atomic<bool>* cancelled) const {
  invariant_context() = {seed, replication, 0};
  const RandomKey key = make_random_key(seed, replication);
  const auto policy = make_policy();
  StepClock clock(with.replayed);
  auto started = with.played != nullptr ? start_played(*with.played)
                                        : machine_->start(key, engine_.options, clock, with.recorder);
  if (!started) return started.error();
  const bool again = with.replayed != nullptr || with.played != nullptr;
  std::optional<AffineCost> believed;
  if (again) believed = with.played != nullptr ? with.played->belief : with.replayed->belief;
  if (again && believed.has_value() != started->belief_is_measured) {
    return Error{"the recorded run believed other kinds of step costs"};
  }
  const StepCost recorded_belief({.verify_affine = believed.value_or(AffineCost())});
  const StepCost& belief = believed ? recorded_belief : *started->belief;
  std::optional<BaselineStep> baseline;
  if (with.replayed != nullptr) baseline = with.replayed->baseline;
  const bool measures_baseline = !again && started->baseline_step;
  if (measures_baseline) baseline = {.before = started->baseline_step()};
  Runner& runner = with.player != nullptr ? *with.player : *started->runner;
  const int block_size = machine_->block_size();
  const auto source = workload_.arrivals->start(*workload_.shapes, key);
  SingleReplicaRouter router;
  Simulation simulation(key, *source, router, engine_.elsewhere);
  Engine& engine = simulation.add_replica(engine_.options, *engine_.batching, *policy, belief, runner);
  const auto calibration =
      calibration_ ? calibration_(std::max(1, block_size)) : std::move(started->calibration);
  if (calibration) engine.calibrate(*calibration);
  RunMetrics metrics(stop_, workload_.objective, engine_.options.kv_blocks, std::max(1, block_size),
                     belief.measured_rows());
  simulation.watch(metrics);
  if (with.also != nullptr) simulation.watch(*with.also);

  // A closed loop whose requests never fit would go on for ever at one instant.
  const std::int64_t most_rejected = 10 * (stop_.requests + stop_.warmup_requests) + 1000;
  const auto finished = [&] {
    return metrics.done() || simulation.rejected() > most_rejected || clock.ran_out() ||
           (with.player != nullptr && with.player->difference());
  };
  const auto stop = simulation.run(finished, cancelled);
  if (stop == Simulation::Stop::kCancelled) return Error{"cancelled"};
  if (auto another_run = clock.mismatch()) return *std::move(another_run);
  if (auto error = why_unfinished(simulation, stop, metrics, engine_.options)) return *std::move(error);
  metrics.close(simulation.now());
  if (auto error = why_empty(metrics, stop_)) return *std::move(error);
  if (measures_baseline) baseline->after = started->baseline_step();
  ReplicationResult result = metrics.result();
  result.digest = simulation.digest().value();
  result.events = simulation.events();
  result.simulated_seconds = to_seconds(simulation.now());
  if (is_measured() && with.player == nullptr) {
    result.recording = StepRecording{.steps = clock.take_steps(), .baseline = baseline};
    if (started->belief_is_measured) result.recording->belief = belief.parts().verify_affine;
  }
  return result;
}

Result<ReplicationResult> MachineScenario::record(std::uint64_t seed, std::uint32_t replication,
                                                  RunRecording& recording, const std::atomic<bool>* cancelled,
                                                  Watcher* also) const {
  if (!is_measured()) return Scenario::record(seed, replication, recording, cancelled, also);
  RoundRecorder recorder(workload_.shapes->domains());
  auto result = serve(seed, replication, {.recorder = &recorder, .also = also}, cancelled);
  if (!result) return result;
  recording = recorder.take();
  recording.belief = result->recording->belief;
  return result;
}

Result<RunReplay> MachineScenario::play(std::uint64_t seed, std::uint32_t replication,
                                        const RunRecording& recording,
                                        const std::atomic<bool>* cancelled) const {
  RecordedRunner player(recording);
  auto result = serve(seed, replication, {.player = &player, .played = &recording}, cancelled);
  if (!result && !player.difference() && player.steps() == 0) return result.error();
  if (cancelled != nullptr && cancelled->load()) return Error{"cancelled"};
  RunReplay replay{player.final_difference(), player.steps(), player.rounds(), {}};
  if (replay.difference) return replay;
  if (!result) return result.error();
  replay.result = *std::move(result);
  return replay;
}

std::vector<ParameterRecord> parameters_of(const std::function<void(Parameters&)>& construct) {
  Parameters parameters = Parameters::describing();
  construct(parameters);
  return parameters.records();
}

}  // namespace

Result<RunReplay> Scenario::play(std::uint64_t, std::uint32_t, const RunRecording&,
                                 const std::atomic<bool>*) const {
  return Error{"its steps are computed, not measured"};
}

std::unique_ptr<const Scenario> Scenario::read(Parameters& parameters,
                                               std::span<const MachineEntry> machines) {
  const std::size_t errors_before = parameters.errors().size();
  auto scenario = std::make_unique<const MachineScenario>(parameters, machines);
  if (parameters.errors().size() > errors_before) return nullptr;
  return scenario;
}

std::vector<CatalogueEntry> catalogue(std::span<const MachineEntry> machines) {
  std::vector<CatalogueEntry> entries;
  for (const DepthPolicyEntry& policy : depth_policies()) {
    entries.push_back(
        {"policy", policy.name, policy.meaning, parameters_of([&](Parameters& p) { policy.construct(p); })});
  }
  for (const BatchingPolicyEntry& batching : batching_policies()) {
    entries.push_back({"batching", batching.name, batching.meaning,
                       parameters_of([&](Parameters& p) { batching.construct(p); })});
  }
  for (const ConfidenceCalibrationEntry& calibration : confidence_calibrations()) {
    entries.push_back({"confidence", calibration.name, calibration.meaning,
                       parameters_of([&](Parameters& p) { calibration.read(p); })});
  }
  for (const ArrivalEntry& arrivals : arrival_processes()) {
    entries.push_back({"arrivals", arrivals.name, arrivals.meaning,
                       parameters_of([&](Parameters& p) { arrivals.construct(p); })});
  }
  for (const LengthsEntry& lengths : length_distributions()) {
    entries.push_back({"lengths", lengths.name, lengths.meaning,
                       parameters_of([&](Parameters& p) { lengths.construct(p); })});
  }
  const auto add_machine = [&](const MachineEntry& machine) {
    entries.push_back({"machine", machine.name, machine.meaning,
                       parameters_of([&](Parameters& p) { static_cast<void>(machine.read(p, {})); })});
  };
  add_machine(modelled_machine_entry());
  for (const MachineEntry& machine : machines) add_machine(machine);
  for (const SurvivalPreset& preset : survival_presets()) {
    entries.push_back({"acceptance", preset.name, "acceptance.preset: " + preset.source, {}});
  }
  return entries;
}

std::vector<ParameterRecord> describe_scenario(std::span<const MachineEntry> machines) {
  return parameters_of([machines](Parameters& p) { MachineScenario scenario(p, machines); });
}

}  // namespace dspark
