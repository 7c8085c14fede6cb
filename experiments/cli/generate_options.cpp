#include <CLI/CLI.hpp>
#include <memory>

#include "experiments/cli/command_options.h"
#include "experiments/cli/commands.h"

namespace dspark {
namespace {

constexpr const char* kGenerateExamples =
    R"(Loads a model as it is published on Hugging Face (config.json, *.safetensors, tokenizer.json) and lets it answer
one prompt through the serving engine that experiments use, with the same policies. Text goes to stdout as it is
written, statistics to stderr.

The reply is the model's own: at temperature 0 the same tokens as without a drafter, above it the same distribution.
The same seed gives the same text for the same policy, on any number of threads.

Examples:
  scripts/get_smollm2                         a small chat model to try it with
  dspark generate --model build/models/smollm2-135m-instruct --prompt "Why is the sky blue?"
  dspark generate --model DIR --drafter ngram --policy fixed:4 --show-draft --prompt "Repeat: one two one two"
      accepted drafts in green, rejected ones struck out in red
  dspark generate --model DIR --prompt "A haiku" --temperature 0.8 --top-p 0.95 --seed 3 --json)";

}  // namespace

Command add_generate(CLI::App& program) {
  auto options = std::make_shared<GenerateOptions>();
  CLI::App* command =
      program.add_subcommand("generate", "Let a model answer a prompt, verifying what a drafter proposes");
  const auto add = [command](const char* name, auto& value, const char* type, const char* meaning) {
    return command->add_option(name, value, meaning)->type_name(type);
  };
  add("--model", options->model, "DIR", "Folder with config.json, *.safetensors and tokenizer.json")
      ->required();
  add("--prompt", options->prompt, "TEXT", "What the user says")->required();
  add("--system", options->system, "TEXT", "System prompt; the model's own if not given");
  command->add_flag("--raw", options->raw, "Take the prompt as it is, without the model's chat template");
  add("--drafter", options->drafter, "WHAT",
      "none (default); ngram: what followed the same tokens before; or the folder of a drafter");
  add("--block-size", options->block_size, "N",
      "Longest block that the drafter proposes, within what it can (default 7)")
      ->check(CLI::Range(1, 64));
  add("--policy", options->policy, "POLICY",
      "As an experiment writes it (default: the whole block; none without a drafter)");
  add("--max-tokens", options->max_tokens, "N", "Longest reply (default 256)")->check(CLI::Range(1, 1 << 20));
  add("--temperature", options->temperature, "T", "0 (default): always the likeliest token")
      ->check(CLI::Range(0.0, 100.0));
  add("--top-k", options->top_k, "K", "Choose among the K likeliest tokens; 0 (default): all")
      ->check(CLI::Range(0, 1 << 30));
  add("--top-p", options->top_p, "P", "Choose among the likeliest tokens of probability P (default 1)")
      ->check(CLI::Range(1e-6, 1.0));
  add("--min-p", options->min_p, "P", "Leave out tokens below P times the likeliest one (default 0)")
      ->check(CLI::Range(0.0, 0.999999));
  add("--seed", options->seed, "N", "Of the draws (default 0)");
  add("--weights", options->weights, "TYPE", "f32, bf16, or auto (default): as the folder stores them")
      ->check(CLI::IsMember({"auto", "f32", "bf16"}));
  add("--threads", options->threads, "N", "All cores if not given")->check(CLI::Range(1, 1024));
  command->add_flag("--show-draft", options->show_draft, "Mark accepted and rejected draft tokens");
  command->add_flag("--json", options->json,
                    "One JSON document instead of the text: token_ids, text, rounds, tau ...");
  command->footer(kGenerateExamples);
  return {command, [options] { return generate_command(*options); }};
}

}  // namespace dspark
