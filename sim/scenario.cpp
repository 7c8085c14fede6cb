#include "sim/scenario.h"

#include <fmt/format.h>

#include <algorithm>

#include "policies/batching/batching_policy_registry.h"
#include "policies/calibration/confidence_calibrations.h"
#include "policies/depth/depth_policy_registry.h"
#include "policies/invariant.h"
#include "sim/acceptance/survival_presets.h"
#include "sim/machine.h"
#include "sim/metrics/run_metrics.h"
#include "sim/run_end.h"
#include "sim/simulation.h"
#include "sim/workload/arrival_process.h"

namespace dspark {
namespace {

/// The workload block: when requests arrive and what they look like.
struct Workload {
  std::unique_ptr<const ArrivalProcess> arrivals;
  std::unique_ptr<const RequestShapes> shapes;
  ServiceObjective objective;
};

std::unique_ptr<const ArrivalProcess> read_arrivals(Parameters& workload) {
  std::vector<std::string> names;
  for (const ArrivalEntry& entry : arrival_processes()) names.push_back(entry.name);
  Selection selection = workload.one_of("arrivals", names, "when requests arrive");
  for (const ArrivalEntry& entry : arrival_processes()) {
    if (entry.name == selection.name) return entry.construct(selection.parameters);
  }
  return nullptr;
}

Workload read_workload(Parameters parameters) {
  Workload workload;
  workload.arrivals = read_arrivals(parameters);
  workload.shapes = std::make_unique<RequestShapes>(parameters, !workload.arrivals->brings_lengths());
  if (parameters.given("slo") || parameters.is_describing()) {
    Parameters slo =
        parameters.group("slo", "latency objectives: goodput counts the requests that meet both");
    workload.objective.given = true;
    workload.objective.ttft_seconds =
        1e-3 * slo.number("ttft_ms", {.min = 0, .unit = "ms", .meaning = "first token"});
    workload.objective.tpot_seconds =
        1e-3 *
        slo.number("tpot_ms", {.min = 0, .unit = "ms", .meaning = "time per output token after the first"});
  }
  return workload;
}

struct EngineBlock {
  EngineOptions options;
  PrefillElsewherePrice elsewhere;
  std::unique_ptr<BatchingPolicy> batching;
};

EngineBlock read_engine(Parameters parameters) {
  EngineBlock engine;
  engine.options.max_num_seqs =
      static_cast<int>(parameters.integer("max_num_seqs", {.min = 1,
                                                           .max = 1 << 16,
                                                           .default_value = 256,
                                                           .unit = "requests",
                                                           .meaning = "requests that run at once"}));
  engine.options.max_num_batched_tokens = static_cast<int>(parameters.integer(
      "max_num_batched_tokens", {.min = 1,
                                 .max = 1 << 22,
                                 .default_value = 8192,
                                 .unit = "tokens",
                                 .meaning = "rows of one step: anchors, drafts and prompts"}));
  if (engine.options.max_num_batched_tokens < engine.options.max_num_seqs) {
    parameters.add_error("max_num_batched_tokens is below max_num_seqs: running replies would starve",
                         parameters.position_of("max_num_batched_tokens"));
  }
  Selection batching = parameters.one_of("batching", batching_policy_names(),
                                         "who gets the token budget of a step", "decode_first");
  engine.batching = make_batching_policy(batching.name, batching.parameters);
  engine.options.cap_accept = parameters.flag(
      "cap_accept",
      {.default_value = false,
       .meaning = "verify everything drafted but commit only what the policy admitted: a policy's loss "
                  "without its gain"});
  engine.options.prefix_caching = parameters.flag(
      "prefix_caching", {.default_value = true,
                         .meaning = "KV blocks of a prefix that prompts share (workload.shared_prefix) are "
                                    "computed once and kept while "
                                    "there is room; prompts computed elsewhere are computed whole"});
  const std::string prefill = parameters.choice(
      "prefill",
      {.options = {"in_step", "elsewhere"},
       .default_value = "in_step",
       .meaning =
           "where prompts are computed: in the same steps under the token budget, or on other machines"});
  if (prefill == "elsewhere" || parameters.is_describing()) {
    engine.options.prefill = Prefill::kElsewhere;
    Parameters price = parameters.group("prefill_elsewhere",
                                        "price of a prompt with prefill: elsewhere, any number at once");
    engine.elsewhere.fixed_seconds =
        1e-3 *
        price.number("fixed_ms",
                     {.min = 0, .max = 1e6, .default_value = 0, .unit = "ms", .meaning = "for each prompt"});
    engine.elsewhere.seconds_per_token =
        1e-6 * price.number("per_token_us", {.min = 0,
                                             .max = 1e6,
                                             .default_value = 0,
                                             .unit = "µs",
                                             .meaning = "and for each of its tokens"});
  }
  return engine;
}

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
    return serve(seed, replication, nullptr, cancelled, also);
  }
  Result<ReplicationResult> replay(std::uint64_t seed, std::uint32_t replication,
                                   const StepRecording& recording,
                                   const std::atomic<bool>* cancelled) const override {
    if (!is_measured()) return Scenario::replay(seed, replication, recording, cancelled);
    return serve(seed, replication, &recording, cancelled, nullptr);
  }
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
  Result<ReplicationResult> serve(std::uint64_t seed, std::uint32_t replication,
                                  const StepRecording* replayed, const std::atomic<bool>* cancelled,
                                  Watcher* also) const;

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

/// replayed: what the steps are to take; null: what they do take.
Result<ReplicationResult> MachineScenario::serve(std::uint64_t seed, std::uint32_t replication,
                                                 const StepRecording* replayed,
                                                 const std::atomic<bool>* cancelled, Watcher* also) const {
  invariant_context() = {seed, replication, 0};
  const RandomKey key = make_random_key(seed, replication);
  const auto policy = make_policy();
  StepClock clock(replayed);
  auto started = machine_->start(key, engine_.options, clock);
  if (!started) return started.error();
  if (replayed != nullptr && replayed->belief.has_value() != started->belief_is_measured) {
    return Error{"the recorded run believed other kinds of step costs"};
  }
  const StepCost recorded_belief(
      {.verify_affine = replayed != nullptr ? replayed->belief.value_or(AffineCost()) : AffineCost()});
  const StepCost& belief = replayed != nullptr && replayed->belief ? recorded_belief : *started->belief;
  const int block_size = machine_->block_size();
  const auto source = workload_.arrivals->start(*workload_.shapes, key);
  SingleReplicaRouter router;
  Simulation simulation(key, *source, router, engine_.elsewhere);
  Engine& engine =
      simulation.add_replica(engine_.options, *engine_.batching, *policy, belief, *started->runner);
  const auto calibration =
      calibration_ ? calibration_(std::max(1, block_size)) : std::move(started->calibration);
  if (calibration) engine.calibrate(*calibration);
  RunMetrics metrics(stop_, workload_.objective, engine_.options.kv_blocks, std::max(1, block_size),
                     belief.measured_rows());
  simulation.watch(metrics);
  if (also != nullptr) simulation.watch(*also);

  // A closed loop whose requests never fit would go on for ever at one instant.
  const std::int64_t most_rejected = 10 * (stop_.requests + stop_.warmup_requests) + 1000;
  const auto finished = [&] {
    return metrics.done() || simulation.rejected() > most_rejected || clock.ran_out();
  };
  const auto stop = simulation.run(finished, cancelled);
  if (stop == Simulation::Stop::kCancelled) return Error{"cancelled"};
  if (auto another_run = clock.mismatch()) return *std::move(another_run);
  if (auto error = why_unfinished(simulation, stop, metrics, engine_.options)) return *std::move(error);
  metrics.close(simulation.now());
  if (auto error = why_empty(metrics, stop_)) return *std::move(error);
  ReplicationResult result = metrics.result();
  result.digest = simulation.digest().value();
  result.events = simulation.events();
  result.simulated_seconds = to_seconds(simulation.now());
  if (is_measured()) {
    result.recording = StepRecording{.steps = clock.take_steps()};
    if (started->belief_is_measured) result.recording->belief = belief.parts().verify_affine;
  }
  return result;
}

std::vector<ParameterRecord> parameters_of(const std::function<void(Parameters&)>& construct) {
  Parameters parameters = Parameters::describing();
  construct(parameters);
  return parameters.records();
}

}  // namespace

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
