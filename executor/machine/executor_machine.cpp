#include "executor/machine/executor_machine.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <mutex>

#include "executor/drafter/drafter_choice.h"
#include "executor/generation/generation.h"
#include "executor/generation/loaded_model.h"
#include "executor/machine/baseline_step.h"
#include "executor/machine/executor_parameters.h"
#include "executor/machine/prompt_texts.h"
#include "executor/recording/dense_rounds.h"
#include "executor/tokenizer/tokenizer.h"
#include "sim/recording/run_recording.h"

namespace dspark {
namespace {

/// A model in memory, and what it was loaded for.
struct ServedModel {
  std::string key;
  std::int32_t vocab_size = 0;
  std::vector<PromptText> prompt_texts;  // as ExecutorParameters::prompts
  LoadedModel model;
  StepCost measured_cost;  // what policies believe where the experiment says nothing; else it is not measured
};

/// Keeps the model that was used last.
class LastModel {
 public:
  Result<std::shared_ptr<ServedModel>> get(const ExecutorParameters& parameters) {
    const std::lock_guard lock(mutex_);
    const std::string key = key_of(parameters);
    if (last_ && last_->key == key && last_.use_count() == 1) return last_;
    last_.reset();  // its memory is needed
    auto loaded = load(parameters, key);
    if (loaded) last_ = *loaded;
    return loaded;
  }

 private:
  static std::string key_of(const ExecutorParameters& p) {
    const int weights = p.load.weights ? static_cast<int>(*p.load.weights) : -1;
    return fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}", p.target, fmt::join(p.prompts, "|"),
                       p.prompts_by_line, p.drafter.what, p.drafter.block_size, p.belief.has_value(), weights,
                       p.load.threads, p.load.max_rows, p.load.max_logit_rows, p.load.kv_blocks,
                       p.load.block_tokens);
  }
  static Result<std::shared_ptr<ServedModel>> load(const ExecutorParameters& parameters,
                                                   const std::string& key);

  std::mutex mutex_;
  std::shared_ptr<ServedModel> last_;
};

Result<std::shared_ptr<ServedModel>> LastModel::load(const ExecutorParameters& parameters,
                                                     const std::string& key) {
  const auto folder = ModelFolder::open(parameters.target);
  if (!folder) return folder.error();
  std::vector<PromptText> texts;
  if (!parameters.prompts.empty()) {
    const auto tokenizer = Tokenizer::read(parameters.target);
    if (!tokenizer) return tokenizer.error();
    for (const std::string& path : parameters.prompts) {
      auto text = read_prompt_text(path, *tokenizer, parameters.prompts_by_line);
      if (!text) return text.error();
      texts.push_back(*std::move(text));
    }
  }
  LoadOptions options = parameters.load;
  auto layers = layers_for(parameters.drafter, folder->config);
  if (!layers) return layers.error();
  options.kept_layers = *std::move(layers);
  auto model = LoadedModel::load(*folder, options);
  if (!model) return model.error();
  StepCost measured;
  if (!parameters.belief) {
    const int rows = std::min(parameters.drafter.block_size, parameters.load.max_logit_rows - 1);
    measured = measure_step_cost(model->target(), rows, parameters.load.block_tokens, /*repeats=*/5);
  }
  return std::make_shared<ServedModel>(
      ServedModel{key, folder->config.vocab_size, std::move(texts), *std::move(model), std::move(measured)});
}

/// What a model's folder holds of configuration, tokenizer and weights, by name; nothing where it is missing.
std::vector<std::string> files_of_model(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code failure;
  for (std::filesystem::directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    const std::string kind = entry->path().extension().string();
    if (std::error_code ignored; !entry->is_regular_file(ignored)) continue;
    if (kind == ".json" || kind == ".safetensors") files.push_back(entry->path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// A runner with all that it needs to live.
class OwningRunner final : public Runner {
 public:
  OwningRunner(std::shared_ptr<ServedModel> model, std::unique_ptr<Drafter> drafter, RandomKey key,
               StepDurations& durations, RoundRecorder* recorder,
               std::shared_ptr<const AcceptanceModel> forced)
      : model_(std::move(model)),
        drafter_(std::move(drafter)),
        prompts_(prompts(*model_, key)),
        forced_(std::move(forced)),
        runner_(model_->model.kernels(), model_->model.target(), drafter_.get(), *prompts_, key,
                {.durations = &durations, .recorder = recorder, .forced = forced_.get()}) {}

  int block_size() const override { return runner_.block_size(); }
  void entered(RequestId id, const RequestSpec& spec) override { runner_.entered(id, spec); }
  void left(RequestId id, std::int32_t produced) override { runner_.left(id, produced); }
  DraftColumns draft(const RunnerRows& rows, std::span<const int> block_size,
                     const DraftRules& rules) override {
    return runner_.draft(rows, block_size, rules);
  }
  Verified verify(const RunnerRows& rows, std::span<const int> submitted, const StepShape& shape) override {
    return runner_.verify(rows, submitted, shape);
  }

 private:
  static std::unique_ptr<PromptSource> prompts(const ServedModel& model, RandomKey key) {
    if (model.prompt_texts.empty()) return std::make_unique<RandomPrompts>(model.vocab_size, key);
    if (model.prompt_texts.size() == 1) return std::make_unique<TextPrompts>(model.prompt_texts[0], key);
    std::vector<std::unique_ptr<PromptSource>> by_domain;
    for (const PromptText& text : model.prompt_texts)
      by_domain.push_back(std::make_unique<TextPrompts>(text, key));
    return std::make_unique<DomainPrompts>(std::move(by_domain));
  }

  std::shared_ptr<ServedModel> model_;
  std::unique_ptr<Drafter> drafter_;
  std::unique_ptr<PromptSource> prompts_;
  std::shared_ptr<const AcceptanceModel> forced_;
  ExecutorRunner runner_;
};

/// The replies that were finished, where a round can start.
std::vector<WrittenText> written_texts(const RunRecording& recording) {
  std::vector<WrittenText> texts;
  for (std::size_t i = 0; i < recording.requests.size(); ++i) {
    const RecordedRequest& request = recording.requests[i];
    if (request.output_tokens < 2) continue;
    const auto domain = static_cast<std::size_t>(request.spec.domain);
    texts.push_back({.request = static_cast<std::int64_t>(i),
                     .domain = domain < recording.domain_names.size() ? request.spec.domain : -1,
                     .tokens = recording.texts[i],
                     .prompt_tokens = request.spec.prompt_tokens,
                     .rule = {.temperature = request.spec.temperature}});
  }
  return texts;
}

class ExecutorMachine final : public Machine {
 public:
  ExecutorMachine(ExecutorParameters parameters, std::shared_ptr<LastModel> models)
      : parameters_(std::move(parameters)), models_(std::move(models)) {}

  int kv_blocks() const override { return parameters_.load.kv_blocks; }
  int block_tokens() const override { return parameters_.load.block_tokens; }
  int block_size() const override {
    return parameters_.drafter.is_none() ? 0 : parameters_.drafter.block_size;
  }
  std::string block_size_key() const override { return "machine.executor.block_size"; }
  unsigned signals() const override {
    if (block_size() == 0) return kConfidenceOnly;
    const unsigned of_all = kTop1 | kMargin | kEntropy | kChosen;
    if (parameters_.forced) return parameters_.forced->signals() & of_all;
    // A token that was looked up is certain: its divergence would be infinite.
    return parameters_.drafter.is_folder() ? of_all | kDivergence : of_all;
  }
  bool knows_outcomes() const override { return false; }
  bool is_real() const override { return true; }
  bool prefills_elsewhere() const override { return false; }
  const std::vector<FitLine>& fits() const override { return parameters_.fits; }
  std::vector<std::string> model_files() const override {
    std::vector<std::string> files = files_of_model(parameters_.target);
    if (parameters_.drafter.is_folder()) {
      const std::vector<std::string> drafter = files_of_model(parameters_.drafter.what);
      files.insert(files.end(), drafter.begin(), drafter.end());
    }
    files.insert(files.end(), parameters_.prompts.begin(), parameters_.prompts.end());
    return files;
  }
  const StepCost* given_belief() const override {
    return parameters_.belief ? &*parameters_.belief : nullptr;
  }
  Result<Start> start(RandomKey key, const EngineOptions& engine, StepDurations& durations,
                      RoundRecorder* recorder) const override {
    auto model = load(engine);
    if (!model) return model.error();
    auto drafter = make_drafter_for(**model, engine);
    if (!drafter) return drafter.error();
    auto calibration = parameters_.forced ? nullptr : calibration_for(drafter->get());
    const StepCost* belief = parameters_.belief ? &*parameters_.belief : &(*model)->measured_cost;
    auto runner = std::make_unique<OwningRunner>(*model, *std::move(drafter), key, durations, recorder,
                                                 parameters_.forced);
    return Start{std::move(runner), belief, std::move(calibration), !parameters_.belief.has_value(),
                 [model = *model, block_tokens = block_tokens()] {
                   return baseline_step_seconds(model->model.kernels(), model->model.target(), block_tokens);
                 }};
  }
  Result<Rounds> dense_rounds(RandomKey key, const EngineOptions& engine, const RunRecording& recording,
                              const std::function<bool(std::size_t)>& progress) const override {
    if (parameters_.forced)
      return Error{"its drafts fare as machine.executor.acceptance says: the text does not"};
    const auto model = load(engine);
    if (!model) return model.error();
    const auto drafter = make_drafter_for(**model, engine);
    if (!drafter) return drafter.error();
    if (*drafter == nullptr) return Error{"there is no drafter", {}, "machine.executor.drafter names one"};
    const LoadedModel& loaded = (*model)->model;
    return dspark::dense_rounds(loaded.kernels(), loaded.target(), **drafter, written_texts(recording),
                                {.kv_blocks = kv_blocks(),
                                 .block_tokens = block_tokens(),
                                 .max_rows = engine.max_num_batched_tokens,
                                 .max_logit_rows = load_options(engine).max_logit_rows,
                                 .max_texts = engine.max_num_seqs,
                                 .key = key,
                                 .domains = recording.domain_names,
                                 .progress = progress});
  }

 private:
  LoadOptions load_options(const EngineOptions& engine) const {
    LoadOptions load = parameters_.load;
    load.max_rows = engine.max_num_batched_tokens;
    load.max_logit_rows = std::min(engine.max_num_batched_tokens, engine.max_num_seqs * (block_size() + 1));
    return load;
  }
  Result<std::shared_ptr<ServedModel>> load(const EngineOptions& engine) const {
    ExecutorParameters wanted = parameters_;
    wanted.load = load_options(engine);
    return models_->get(wanted);
  }
  Result<std::unique_ptr<Drafter>> make_drafter_for(const ServedModel& model,
                                                    const EngineOptions& engine) const {
    auto drafter =
        make_drafter(parameters_.drafter, model.model.draft_target(), model.model.kernels(),
                     static_cast<std::size_t>(engine.max_num_seqs),
                     static_cast<std::size_t>(kv_blocks()) * static_cast<std::size_t>(block_tokens()));
    if (!drafter || !*drafter || (*drafter)->block_size() == block_size()) return drafter;
    return Error{fmt::format("the drafter's largest block has {} tokens, not {}", (*drafter)->block_size(),
                             block_size()),
                 {},
                 fmt::format("set machine.executor.block_size: {}", (*drafter)->block_size())};
  }

  ExecutorParameters parameters_;
  std::shared_ptr<LastModel> models_;
};

std::unique_ptr<const Machine> read_executor_machine(Parameters& parameters, const std::string& folder,
                                                     const std::vector<std::string>& domains,
                                                     const std::shared_ptr<LastModel>& models) {
  auto read = read_executor_parameters(parameters, folder, domains);
  return read ? std::make_unique<const ExecutorMachine>(*std::move(read), models) : nullptr;
}

}  // namespace

MachineEntry executor_machine_entry(const std::string& folder) {
  return {"executor", "A real model on this computer, its steps measured",
          [folder, models = std::make_shared<LastModel>()](Parameters& parameters,
                                                           const std::vector<std::string>& domains) {
            return read_executor_machine(parameters, folder, domains, models);
          }};
}

}  // namespace dspark
