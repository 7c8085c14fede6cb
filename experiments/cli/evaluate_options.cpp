#include <CLI/CLI.hpp>
#include <memory>

#include "experiments/cli/command_options.h"
#include "experiments/cli/commands.h"

namespace dspark {
namespace {

constexpr const char* kEvaluateExamples =
    R"(Lets a model answer prompts and verifies whole blocks of every drafter: accepted length, acceptance by position, and
whether the confidence head can be believed, by domain, temperature and context length. Prompts are windows of text
files, from places that the seed says, or their lines: every drafter gets the same ones.

Examples:
  dspark evaluate --model tests/models/tiny/target --drafter tests/models/tiny/dspark --drafter ngram \
    --lines --prompts tests/models/tiny/prompts/arithmetic.txt --prompts tests/models/tiny/prompts/code.txt
  dspark evaluate --model DIR --drafter DIR --prompts chat.txt --temperature 0,0.7,1 --context 64,512 --requests 64
  dspark evaluate --model DIR --drafter DIR --prompts chat.txt --rounds rounds.csv
      the rounds, for dspark calibrate and for machine.modelled.acceptance.rounds
  dspark evaluate --model DIR --drafter A --drafter B --prompts chat.txt --out evaluation.h5 --figure evaluation.png

Figures of a few hundred rounds are rough: the intervals say how rough. docs/evaluation.md explains each number.)";

}  // namespace

Command add_evaluate(CLI::App& program) {
  auto options = std::make_shared<EvaluateOptions>();
  CLI::App* command = program.add_subcommand(
      "evaluate", "Measure how drafters fare on a real model: τ, acceptance, calibration");
  const auto add = [command](const char* name, auto& value, const char* type, const char* meaning) {
    return command->add_option(name, value, meaning)->type_name(type);
  };
  const auto add_again = [&add](const char* name, auto& value, const char* type, const char* meaning) {
    return add(name, value, type, meaning)
        ->required()
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  };
  constexpr int kLargest = 1 << 20;
  add("--model", options->model, "DIR", "Folder with config.json, *.safetensors and tokenizer.json")
      ->required();
  add_again("--drafter", options->drafters, "WHAT", "ngram, or the folder of a drafter; may be given again");
  add_again("--prompts", options->prompts, "[DOMAIN=]FILE",
            "A text whose windows or lines are prompts; may be given again, a domain each (the file's name "
            "if not said)");
  add("--temperature", options->temperatures, "LIST",
      "Of sampling (default 1); 0: always the likeliest token")
      ->delimiter(',')
      ->check(CLI::Range(0.0, 100.0));
  CLI::Option* context = add("--context", options->contexts, "LIST", "Tokens of a window (default 64)")
                             ->delimiter(',')
                             ->check(CLI::Range(1, kLargest));
  command
      ->add_flag("--lines", options->lines,
                 "Each line of a file is a prompt, with \\n and \\t in it, not a window")
      ->excludes(context);
  add("--requests", options->requests, "N", "Of each domain, temperature and context (default 32)")
      ->check(CLI::Range(1, kLargest));
  add("--output-tokens", options->output_tokens, "N", "Of a reply at most (default 64)")
      ->check(CLI::Range(2, kLargest));
  add("--block-size", options->block_size, "N",
      "γ: longest block that the drafter proposes, within what it can (default 7)")
      ->check(CLI::Range(1, 64));
  add("--batch", options->batch, "N", "Requests served side by side (default 8)")->check(CLI::Range(1, 1024));
  add("--top-k", options->top_k, "K", "Choose among the K likeliest tokens; 0 (default): all")
      ->check(CLI::Range(0, 1 << 30));
  add("--top-p", options->top_p, "P", "Choose among the likeliest tokens of probability P (default 1)")
      ->check(CLI::Range(1e-6, 1.0));
  add("--min-p", options->min_p, "P", "Leave out tokens below P times the likeliest one (default 0)")
      ->check(CLI::Range(0.0, 0.999999));
  add("--seed", options->seed, "N", "Of prompts and draws (default 0)");
  command->add_flag("--ignore-end", options->ignore_end, "Replies go on behind a token that ends texts");
  add("--weights", options->weights, "TYPE", "f32, bf16, or auto (default): as the folder stores them")
      ->check(CLI::IsMember({"auto", "f32", "bf16"}));
  add("--threads", options->threads, "N", "All cores if not given")->check(CLI::Range(1, 1024));
  add("--out", options->out, "FILE.h5", "Write the tables as HDF5");
  add("--rounds", options->rounds, "FILE.csv", "Write the whole rounds, of one drafter");
  add("--figure", options->figure, "NAME.png", "Draw them, as PNG and PDF (needs python3 with matplotlib)");
  command->add_flag("--json", options->json, "One JSON document instead of the tables");
  command->add_flag("--quiet", options->quiet, "Say nothing of progress");
  command->footer(kEvaluateExamples);
  return {command, [options] { return evaluate_command(*options); }};
}

}  // namespace dspark
