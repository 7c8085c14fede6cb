#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "executor/drafter/ngram_drafter.h"
#include "executor/generation/generation.h"
#include "executor/generation/loaded_model.h"
#include "executor/tokenizer/chat_template.h"
#include "experiments/cli/checked_policy.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/draft_display.h"
#include "experiments/cli/exit_code.h"
#include "experiments/cli/report.h"
#include "experiments/messages.h"

namespace dspark {
namespace {

int fail(const Error& error, ExitCode code = kInvalidInput) {
  print_error(error);
  return code;
}

/// The prompt as the model was trained to see it, or as it is.
Result<std::vector<std::int32_t>> prompt_tokens(const GenerateOptions& options, const Tokenizer& tokenizer) {
  auto encoded = [&]() -> Result<std::vector<std::int32_t>> {
    if (options.raw || tokenizer.chat_template().empty()) {
      return tokenizer.encode(options.prompt, /*add_special_tokens=*/true);
    }
    const auto text = render_chat(tokenizer, {.system = options.system, .user = options.prompt});
    if (!text) return text.error();
    return tokenizer.encode(*text, /*add_special_tokens=*/false);
  }();
  if (encoded && encoded->empty()) return Error{"the prompt has no token", {}, "--prompt TEXT"};
  return encoded;
}

struct ChosenDrafter {
  std::unique_ptr<Drafter> drafter;  // null: none
};

Result<ChosenDrafter> choose_drafter(const GenerateOptions& options) {
  if (options.drafter == "none") return ChosenDrafter{};
  if (options.drafter == "ngram") {
    return ChosenDrafter{std::make_unique<NgramDrafter>(NgramOptions{.block_size = options.block_size})};
  }
  return Error{fmt::format("there is no drafter '{}'", options.drafter), {}, "--drafter none or ngram"};
}

std::string generation_json(const Generation& generation, const std::string& text, const std::string& prompt,
                            const LoadedModel& model, const CheckedPolicy& policy) {
  const auto optional = [](const std::optional<double>& value) {
    return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
  };
  const nlohmann::ordered_json document = {{"text", text},
                                           {"token_ids", generation.token_ids},
                                           {"ended", generation.ended},
                                           {"prompt", prompt},
                                           {"rounds", generation.rounds},
                                           {"drafted", generation.drafted},
                                           {"verified", generation.verified},
                                           {"accepted", generation.accepted},
                                           {"tau", optional(generation.accepted_length)},
                                           {"seconds", generation.seconds},
                                           {"first_token_seconds", generation.first_token_seconds},
                                           {"tokens_per_second", optional(generation.tokens_per_second())},
                                           {"draft_seconds", generation.parts.draft},
                                           {"verify_seconds", generation.parts.verify},
                                           {"overhead_seconds", generation.parts.overhead},
                                           {"policy", policy.text},
                                           {"lossless", policy.traits.lossless},
                                           {"machine", model.kernels().description()}};
  return document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string statistics(const Generation& generation, const LoadedModel& model) {
  std::string text = fmt::format("\n{} tokens in {:.2f} s", generation.token_ids.size(), generation.seconds);
  if (const auto speed = generation.tokens_per_second())
    text += fmt::format(", {:.1f} tokens/s after the first", *speed);
  text += fmt::format(" (first after {:.2f} s); {}\n", generation.first_token_seconds,
                      generation.ended ? "the model ended the reply" : "cut by --max-tokens");
  if (generation.drafted > 0) {
    text += fmt::format("{} rounds, {} drafted, {} verified, {} accepted", generation.rounds,
                        generation.drafted, generation.verified, generation.accepted);
    if (generation.accepted_length) text += fmt::format(", τ {:.2f}", *generation.accepted_length);
    text += fmt::format("; draft {:.2f} s, verify {:.2f} s, between {:.3f} s\n", generation.parts.draft,
                        generation.parts.verify, generation.parts.overhead);
  }
  return text + fmt::format("{}\n", model.kernels().description());
}

DraftDisplay::Style display_style(const GenerateOptions& options) {
  const bool terminal = isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  return {.drafts = options.show_draft, .colours = terminal, .quiet = options.json};
}

}  // namespace

int generate_command(const GenerateOptions& options) {
  Errors errors;
  const std::string written =
      options.policy.empty() ? (options.drafter == "none" ? "none" : "fixed:7") : options.policy;
  const auto policy = read_checked_policy(written, errors);
  if (!policy) return print_errors(errors), kInvalidInput;
  auto drafter = choose_drafter(options);
  if (!drafter) return fail(drafter.error());
  const auto tokenizer = Tokenizer::read(options.model);
  if (!tokenizer) return fail(tokenizer.error());
  const auto prompt = prompt_tokens(options, *tokenizer);
  if (!prompt) return fail(prompt.error());

  GenerationOptions generation{.prompt = *prompt,
                               .max_tokens = options.max_tokens,
                               .sampling = {.temperature = options.temperature,
                                            .top_k = options.top_k,
                                            .top_p = options.top_p,
                                            .min_p = options.min_p},
                               .seed = options.seed};
  const int block_size = drafter->drafter ? drafter->drafter->block_size() : 0;
  const int threads =
      options.threads > 0 ? options.threads : static_cast<int>(std::thread::hardware_concurrency());
  auto model = LoadedModel::load(options.model, {.weights = options.weights,
                                                 .threads = threads,
                                                 .max_rows = generation.max_batched_tokens,
                                                 .max_logit_rows = block_size + 1,
                                                 .kv_blocks = generation_kv_blocks(generation, block_size),
                                                 .block_tokens = generation.block_tokens});
  if (!model) return fail(model.error().error, model.error().machine ? kMachineCannot : kInvalidInput);
  return kDone;
}

}  // namespace dspark
