#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "executor/drafter/drafter_choice.h"
#include "executor/generation/loaded_model.h"
#include "executor/generation/served_rounds.h"
#include "executor/machine/prompt_texts.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/exit_code.h"
#include "experiments/cli/figure_program.h"
#include "experiments/cli/provenance.h"
#include "experiments/cli/report.h"
#include "experiments/evaluation/evaluation.h"
#include "experiments/files.h"
#include "experiments/messages.h"
#include "experiments/results/hdf5_file.h"
#include "experiments/sweep/interrupt.h"
#include "sim/table/rounds_csv.h"

namespace dspark {
namespace {

namespace fs = std::filesystem;

constexpr int kBlockTokens = 16;

struct PromptFile {
  std::string domain;
  std::string path;
  std::vector<std::vector<std::int32_t>> prompts = {};  // as tokens
};

int fail(const Error& error, ExitCode code = kInvalidInput) {
  print_error(error);
  return code;
}

/// `FILE` is of the domain that its name says.
Result<std::vector<PromptFile>> named_prompts(const std::vector<std::string>& arguments) {
  std::vector<PromptFile> files;
  std::set<std::string> domains;
  for (const std::string& argument : arguments) {
    const std::size_t equals = argument.find('=');
    PromptFile file = equals == std::string::npos
                          ? PromptFile{fs::path(argument).stem().string(), argument}
                          : PromptFile{argument.substr(0, equals), argument.substr(equals + 1)};
    if (file.domain.empty() || file.domain == kAllDomains ||
        file.domain.find_first_of(",\"\n\r") < file.domain.size())
      return Error{fmt::format("'{}' does not name a domain", argument), {}, "--prompts DOMAIN=FILE"};
    if (!domains.insert(file.domain).second)
      return Error{
          fmt::format("two files of prompts for the domain '{}'", file.domain), {}, "--prompts DOMAIN=FILE"};
    files.push_back(std::move(file));
  }
  return files;
}

/// Each line as a prompt of its own.
std::vector<std::vector<std::int32_t>> lines_of(const PromptText& text) {
  std::vector<std::vector<std::int32_t>> lines;
  for (std::size_t i = 0; i < text.begins.size(); ++i) {
    const auto begin = text.tokens.begin() + static_cast<std::ptrdiff_t>(text.begins[i]);
    const auto end = i + 1 < text.begins.size()
                         ? text.tokens.begin() + static_cast<std::ptrdiff_t>(text.begins[i + 1])
                         : text.tokens.end();
    lines.emplace_back(begin, end);
  }
  return lines;
}

/// Fills `files`: the same prompts for every drafter.
std::optional<Error> read_prompts(const EvaluateOptions& options, const Tokenizer& tokenizer,
                                  std::vector<PromptFile>& files) {
  const RandomKey key = make_random_key(options.seed, 0);
  for (std::size_t domain = 0; domain < files.size(); ++domain) {
    PromptFile& file = files[domain];
    auto text = read_prompt_text(file.path, tokenizer, options.lines);
    if (!text) return text.error();
    if (options.lines) {
      const auto lines = lines_of(*text);
      for (int i = 0; i < options.requests; ++i)
        file.prompts.push_back(lines[static_cast<std::size_t>(i) % lines.size()]);
      continue;
    }
    const std::size_t all = text->tokens.size();
    TextPrompts windows(*std::move(text), key);
    for (const std::int32_t context : options.contexts) {
      if (all < static_cast<std::size_t>(context))
        return Error{fmt::format("'{}' has {} tokens, fewer than a prompt of {}", file.path, all, context),
                     {},
                     "a longer text, or a smaller --context"};
      for (int i = 0; i < options.requests; ++i)
        file.prompts.push_back(windows.prompt({.source = static_cast<std::uint32_t>(domain),
                                               .ordinal = static_cast<std::uint32_t>(i),
                                               .prompt_tokens = context}));
    }
  }
  return std::nullopt;
}

std::vector<GivenRequest> requests_of(const EvaluateOptions& options, const std::vector<PromptFile>& files) {
  std::vector<GivenRequest> requests;
  for (std::size_t domain = 0; domain < files.size(); ++domain)
    for (const std::vector<std::int32_t>& prompt : files[domain].prompts)
      for (const double temperature : options.temperatures)
        requests.push_back({.prompt = prompt,
                            .output_limit = options.output_tokens,
                            .temperature = static_cast<float>(temperature),
                            .domain = static_cast<std::int32_t>(domain)});
  return requests;
}

class Evaluator {
 public:
  Evaluator(const EvaluateOptions& options, const ModelFolder& folder, std::vector<PromptFile> files)
      : options_(options), folder_(folder), files_(std::move(files)) {
    for (const PromptFile& file : files_) domains_.push_back(file.domain);
    std::size_t longest = 0;
    for (const PromptFile& file : files_)
      for (const auto& prompt : file.prompts) longest = std::max(longest, prompt.size());
    const int tokens = static_cast<int>(longest) + options.output_tokens + options.block_size + 1;
    kv_blocks_ = options.batch * ((tokens + kBlockTokens - 1) / kBlockTokens);
  }

  /// Served and measured; `code`: what an error means for the program.
  Result<RunRecording> serve(const std::string& drafter_name, ExitCode& code) {
    code = kInvalidInput;
    const DrafterChoice choice{.what = drafter_name, .block_size = options_.block_size};
    auto layers = layers_for(choice, folder_.config);
    if (!layers) return layers.error();
    const LoadOptions load = load_options(*std::move(layers));
    const auto model = LoadedModel::load(folder_, load);
    if (!model) return code = kMachineCannot, model.error();
    machine_ = model->kernels().description();
    const auto drafter = make_drafter(choice, model->draft_target(), model->kernels(),
                                      static_cast<std::size_t>(options_.batch),
                                      static_cast<std::size_t>(kv_blocks_) * kBlockTokens);
    if (!drafter) return drafter.error();
    ServedRoundsOptions served{.sampling = {.top_k = options_.top_k,
                                            .top_p = static_cast<float>(options_.top_p),
                                            .min_p = static_cast<float>(options_.min_p)},
                               .seed = options_.seed,
                               .max_num_seqs = options_.batch,
                               .max_num_batched_tokens = load.max_rows,
                               .kv_blocks = kv_blocks_,
                               .block_tokens = kBlockTokens,
                               .domains = domains_};
    if (!options_.ignore_end)
      served.end_tokens.assign(folder_.config.end_tokens.begin(), folder_.config.end_tokens.end());
    std::vector<GivenRequest> requests = requests_of(options_, files_);
    served.progress = [&, all = requests.size(), tenths = std::size_t{0}](std::size_t done) mutable {
      if (!options_.quiet && 10 * done / all != tenths) {
        tenths = 10 * done / all;
        write_message(fmt::format("evaluate: {}, {} of {} requests\n", drafter_name, done, all));
      }
      return !interrupt_requested();
    };
    code = kMachineCannot;
    return served_rounds(model->kernels(), model->target(), **drafter, std::move(requests), served);
  }

  const std::vector<std::string>& domains() const { return domains_; }
  const std::string& machine() const { return machine_; }

 private:
  LoadOptions load_options(std::vector<int> kept_layers) const {
    const int rows = options_.batch * (options_.block_size + 1);
    return {.weights = named_weight_type(options_.weights),
            .threads = options_.threads,
            .max_rows = std::max(512, rows),
            .max_logit_rows = rows,
            .kv_blocks = kv_blocks_,
            .block_tokens = kBlockTokens,
            .kept_layers = std::move(kept_layers)};
  }

  const EvaluateOptions& options_;
  const ModelFolder& folder_;
  std::vector<PromptFile> files_;
  std::vector<std::string> domains_;
  int kv_blocks_ = 0;
  std::string machine_;
};

std::optional<Error> wrong_outputs(const EvaluateOptions& options) {
  if (!options.rounds.empty() && options.drafters.size() > 1)
    return Error{"--rounds is for one drafter", {}, "evaluate them one by one"};
  if (!options.figure.empty() && !options.figure.ends_with(".png"))
    return Error{fmt::format("'{}' does not end in .png", options.figure), {}, "a .pdf is written beside it"};
  for (const std::string& drafter : options.drafters)
    if (drafter == "none") return Error{"'none' drafts nothing", {}, "--drafter names a drafter"};
  return std::nullopt;
}

std::optional<Error> write(const std::string& path, std::string_view bytes) {
  if (auto error = create_folder_of(path)) return error;
  return write_file_atomically(path, bytes);
}

void add_facts(const EvaluateOptions& options, const std::string& machine, Evaluation& evaluation) {
  evaluation.facts = {{"model", options.model},
                      {"machine", machine},
                      {"version", version_text()},
                      {"top_k", fmt::format("{}", options.top_k)},
                      {"top_p", fmt::format("{}", options.top_p)},
                      {"min_p", fmt::format("{}", options.min_p)},
                      {"output_tokens", fmt::format("{}", options.output_tokens)},
                      {"seed", fmt::format("{}", options.seed)}};
}

std::optional<Error> write_files(const EvaluateOptions& options, const Evaluation& evaluation,
                                 const Rounds& rounds) {
  if (!options.rounds.empty()) {
    if (auto error = write(options.rounds, rounds_csv(rounds))) return error;
  }
  if (options.out.empty()) return std::nullopt;
  auto bytes = encode_hdf5(evaluation_file(evaluation));
  if (!bytes) return bytes.error();
  return write(options.out, *bytes);
}

}  // namespace

int evaluate_command(const EvaluateOptions& options) {
  if (const auto error = wrong_outputs(options)) return fail(*error);
  auto files = named_prompts(options.prompts);
  if (!files) return fail(files.error());
  std::optional<FigureProgram> program;
  if (!options.figure.empty()) {
    const auto found = find_figure_program("evaluation.py");
    if (!found) return fail(found.error(), kMachineCannot);
    program = *found;
  }
  const auto folder = ModelFolder::open(options.model);
  if (!folder) return fail(folder.error());
  const auto tokenizer = Tokenizer::read(options.model);
  if (!tokenizer) return fail(tokenizer.error());
  if (const auto error = read_prompts(options, *tokenizer, *files)) return fail(*error);

  catch_interrupts();
  Evaluator evaluator(options, *folder, *std::move(files));
  Evaluation evaluation;
  Rounds rounds;
  for (const std::string& drafter : options.drafters) {
    ExitCode code = kDone;
    const auto recording = evaluator.serve(drafter, code);
    if (!recording) return interrupt_requested() ? kInterrupted : fail(recording.error(), code);
    const auto groups =
        evaluated_groups(drafter, *recording, evaluator.domains(), options.temperatures,
                         options.lines ? std::vector<std::int32_t>{kAnyContext} : options.contexts);
    evaluation.groups.insert(evaluation.groups.end(), groups.begin(), groups.end());
    if (!options.rounds.empty())
      rounds = whole_rounds(*recording, [](const RecordedRequest&) { return true; });
  }
  add_facts(options, evaluator.machine(), evaluation);
  if (const auto error = write_files(options, evaluation, rounds)) return fail(*error, kMachineCannot);
  const std::string json = options.json || program ? evaluation_json(evaluation) : "";
  if (!print_output(options.json ? json : evaluation_text(evaluation))) return kMachineCannot;
  if (!program) return kDone;
  const auto code = run_figure_program(*program, {options.figure}, json);
  return code ? *code : fail(code.error(), kMachineCannot);
}

}  // namespace dspark
