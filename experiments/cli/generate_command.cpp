#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "executor/drafter/drafter_choice.h"
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

/// The policy that was asked for, else one that verifies the whole block.
std::string policy_text(const GenerateOptions& options, int block_size) {
  if (!options.policy.empty()) return options.policy;
  return block_size == 0 ? "none" : fmt::format("fixed:{}", block_size);
}

/// The prompt as the model was taught to see it, or with --raw as it is.
Result<std::string> prompt_text(const GenerateOptions& options, const Tokenizer& tokenizer) {
  const auto chat = ChatTemplate::of(tokenizer);
  if (!chat) {
    Error error = chat.error();
    error.advice = "--raw takes the prompt as it is";
    return error;
  }
  if (options.system.empty()) return chat->render(options.prompt);
  return chat->render(options.prompt, options.system);
}

Result<std::vector<std::int32_t>> prompt_tokens(const GenerateOptions& options, const Tokenizer& tokenizer) {
  const bool chat = !options.raw && !tokenizer.chat_template().empty();
  const auto text = chat ? prompt_text(options, tokenizer) : Result<std::string>(options.prompt);
  if (!text) return text.error();
  auto tokens = tokenizer.encode(*text, /*add_special_tokens=*/!chat);
  if (tokens && tokens->empty()) return Error{"the prompt has no token", {}, "--prompt TEXT"};
  return tokens;
}

GenerationOptions generation_options(const GenerateOptions& options, const std::vector<std::int32_t>& prompt,
                                     const ModelConfig& config) {
  GenerationOptions generation;
  generation.prompt = prompt;
  generation.max_tokens = options.max_tokens;
  generation.sampling = {.temperature = options.temperature,
                         .top_k = options.top_k,
                         .top_p = options.top_p,
                         .min_p = options.min_p};
  generation.seed = options.seed;
  generation.end_tokens.assign(config.end_tokens.begin(), config.end_tokens.end());
  return generation;
}

LoadOptions load_options(const GenerateOptions& options, const GenerationOptions& generation,
                         const std::vector<int>& kept_layers) {
  const int block_size = options.drafter == "none" ? 0 : options.block_size;
  LoadOptions load;
  load.weights = named_weight_type(options.weights);
  load.threads = options.threads;
  load.max_rows = std::max(generation.max_batched_tokens, block_size + 1);
  load.max_logit_rows = block_size + 1;
  load.kv_blocks = generation_kv_blocks(generation, block_size);
  load.block_tokens = generation.block_tokens;
  load.kept_layers = kept_layers;
  return load;
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
                                           {"wall_seconds", generation.wall_seconds},
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
  const DrafterChoice choice{.what = options.drafter, .block_size = options.block_size};
  Errors errors;
  if (!read_checked_policy(policy_text(options, 0), errors)) return print_errors(errors), kInvalidInput;
  const auto folder = ModelFolder::open(options.model);
  if (!folder) return fail(folder.error());
  const auto tokenizer = Tokenizer::read(options.model);
  if (!tokenizer) return fail(tokenizer.error());
  const auto prompt = prompt_tokens(options, *tokenizer);
  if (!prompt) return fail(prompt.error());
  const auto layers = layers_for(choice, folder->config);
  if (!layers) return fail(layers.error());
  const GenerationOptions generation = generation_options(options, *prompt, folder->config);
  const LoadOptions wanted = load_options(options, generation, *layers);
  auto model = LoadedModel::load(*folder, wanted);
  if (!model) return fail(model.error(), kMachineCannot);
  const auto drafter = make_drafter(choice, model->draft_target(), model->kernels(), /*max_requests=*/1,
                                    static_cast<std::size_t>(wanted.kv_blocks * wanted.block_tokens));
  if (!drafter) return fail(drafter.error());

  const int block_size = *drafter ? (*drafter)->block_size() : 0;
  const auto policy = read_checked_policy(policy_text(options, block_size), errors);
  if (!policy) return print_errors(errors), kInvalidInput;
  if (policy->traits.outcomes) {
    return fail(
        {fmt::format("policy '{}' sees outcomes before they are verified, which a real model does not know",
                     policy->text)});
  }
  const auto depth = policy->make();
  const StepCost belief = measure_step_cost(model->target(), block_size, generation.block_tokens, 3);
  DraftDisplay display(*tokenizer, display_style(options));
  const auto reply =
      generate(model->kernels(), model->target(), drafter->get(), *depth, belief, generation, &display);
  if (!reply) return fail(reply.error());
  display.finish();
  if (options.json) {
    const std::string text = tokenizer->decode(reply->token_ids, /*skip_special=*/true);
    return print_output(generation_json(*reply, text, options.prompt, *model, *policy)) ? kDone
                                                                                        : kMachineCannot;
  }
  write_message(statistics(*reply, *model));
  return kDone;
}

}  // namespace dspark
