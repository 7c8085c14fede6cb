#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "policies/calibration/confidence_calibration.h"
#include "policies/calibration/rounds.h"
#include "policies/cost/step_cost.h"
#include "policies/parameters.h"
#include "sim/engine/engine.h"
#include "sim/random/random_key.h"
#include "sim/scenario.h"
#include "sim/step_recording.h"

namespace dspark {

class RoundRecorder;
struct RunRecording;

/// What serves the requests of an experiment, described by numbers or real. Immutable, shared by threads.
class Machine {
 public:
  virtual ~Machine() = default;

  virtual int kv_blocks() const = 0;
  virtual int block_tokens() const = 0;
  /// γ of its drafter; 0: it has none.
  virtual int block_size() const = 0;
  /// The parameter that sets it, for messages.
  virtual std::string block_size_key() const = 0;
  /// SignalSet that its drafter gives beside the confidence.
  virtual unsigned signals() const = 0;
  /// Whether outcomes of drafts are known before they are verified, as oracles need them.
  virtual bool knows_outcomes() const = 0;
  /// Its steps take real time: nothing else runs beside it.
  virtual bool is_real() const = 0;
  /// Computes prompts on other machines too (Prefill::kElsewhere).
  virtual bool prefills_elsewhere() const = 0;
  virtual const std::vector<FitLine>& fits() const = 0;

  /// Files whose content its numbers depend on, beside those that its parameters read: models, prompts. In an
  /// order that does not depend on where their folders lie. Of a folder that is not there none is listed:
  /// `start` says that it is missing.
  virtual std::vector<std::string> model_files() const { return {}; }

  /// A runner for one replication, the step costs that policies are to believe, and what makes confidences of
  /// its drafter's signals where the experiment does not say (null: nothing does). They live no longer than
  /// the machine.
  struct Start {
    std::unique_ptr<Runner> runner;
    const StepCost* belief = nullptr;
    std::unique_ptr<ConfidenceCalibration> calibration = nullptr;
    bool belief_is_measured = false;  // then it is affine
    /// Measures BaselineStep's seconds, outside of the run; empty where nothing is measured.
    std::function<double()> baseline_step = {};
  };
  /// durations: asked by a real machine after each step, and outlives the runner; recorder: told by a real
  /// machine of its rounds, likewise, may be null. Errors: what the real machine cannot (memory, a model that
  /// is gone).
  virtual Result<Start> start(RandomKey key, const EngineOptions& engine, StepDurations& durations,
                              RoundRecorder* recorder) const = 0;
  /// Rounds that start at every position of the replies of a recorded run, whose texts the recording holds
  /// (executor/recording/dense_rounds.h). key, engine: as of that run. Errors: a machine that computes no
  /// texts; as `start`; `progress` ended it, which is told how many texts are done.
  virtual Result<Rounds> dense_rounds(RandomKey key, const EngineOptions& engine,
                                      const RunRecording& recording,
                                      const std::function<bool(std::size_t)>& progress) const {
    static_cast<void>(key), static_cast<void>(engine), static_cast<void>(recording);
    static_cast<void>(progress);
    return Error{"it computes no texts"};
  }
  /// The step costs that policies believe where the experiment of a real machine says them; null: measured.
  virtual const StepCost* given_belief() const { return nullptr; }
};

/// A kind of machine, by its name under `machine`: the block that describes it.
struct MachineEntry {
  std::string name;
  std::string meaning;
  /// Reads the block. `domains`: names of the workload's domains, empty where it has none. Errors go to the
  /// parameters; then the result may be null.
  std::function<std::unique_ptr<const Machine>(Parameters&, const std::vector<std::string>& domains)> read;
};

/// The machine of `sim`: machine.modelled.
MachineEntry modelled_machine_entry();

}  // namespace dspark
