#include <CLI/CLI.hpp>
#include <memory>

#include "experiments/cli/command_options.h"
#include "experiments/cli/commands.h"

namespace dspark {
namespace {

constexpr const char* kProfileExamples =
    R"(Measures packed forward passes over a grid of rows x requests x context, drafting by the requests that draft, and
what the runner adds to a step. A table by rows and two linear terms are fitted to it. FOLDER gets

  experiment.yaml    a modelled machine that costs the same, ready for `dspark run`; it can run the model too
  profile.csv        every point: median, minimum, noise, and what the fit makes of it
  verify_cost.csv, draft_cost.csv    what machine.modelled and machine.executor.cost read
  profile.h5         all of it, with the facts of machine and model

Leave the machine alone meanwhile: what else runs is measured too. Drift and noise say how much.

Examples:
  dspark profile --model build/models/smollm2-135m-instruct --output profiles/smollm2
  dspark profile --model DIR --drafter DIR --acceptance qwen3-4b/dspark/chat --output profiles/mine
  dspark profile --experiment experiments/real_quickstart.yaml --rounds rounds.h5 --output profiles/quickstart
      models, sizes, traffic and policies of an experiment on machine.executor; rounds as dspark record wrote them
  dspark profile --model DIR --tokens 1,2,4,8,16 --requests 1,4 --context 64,512 --repeats 9 --output FOLDER)";

}  // namespace

Command add_profile(CLI::App& program) {
  auto options = std::make_shared<ProfileCommandOptions>();
  CLI::App* command =
      program.add_subcommand("profile", "Measure what steps of a model cost here, as a modelled machine");
  const auto add = [command](const char* name, auto& value, const char* type, const char* meaning) {
    return command->add_option(name, value, meaning)->type_name(type);
  };
  constexpr int kLargest = 1 << 20;
  add("--model", options->model, "DIR", "Folder with config.json and *.safetensors");
  add("--output", options->output, "FOLDER", "Where the profile goes; made by this command")->required();
  add("--drafter", options->drafter, "WHAT", "none (default), ngram, or the folder of a drafter");
  add("--block-size", options->block_size, "N",
      "Longest block that the drafter proposes, within what it can (default 7)")
      ->check(CLI::Range(1, 64));
  CLI::Option* acceptance = add(
      "--acceptance", options->acceptance, "PRESET",
      "How drafts fare in the experiment that is written, a preset of machine.modelled.acceptance; without "
      "it or --rounds the experiment has policy none only");
  add("--rounds", options->rounds, "FILE",
      "Recorded rounds say it instead: of dspark record (--dense), or of dspark evaluate --rounds")
      ->excludes(acceptance);
  add("--experiment", options->experiment, "FILE.yaml",
      "Take engine, workload, prompts, policies, sweep, seed and stop rule from this experiment, and what is "
      "not "
      "said here: models of machine.executor, temperature, and sizes that its steps can have");
  add("--tokens", options->sizes.tokens, "LIST", "Rows of a step, rising (default 1,2,3,4,6,8 ... 128)")
      ->delimiter(',')
      ->check(CLI::Range(1, kLargest));
  add("--requests", options->sizes.requests, "LIST", "Requests of a step, rising (default 1,2,4,8,16)")
      ->delimiter(',')
      ->check(CLI::Range(1, kLargest));
  add("--context", options->sizes.context_tokens, "LIST",
      "Tokens before each request's rows, rising (default 32,256,1024)")
      ->delimiter(',')
      ->check(CLI::Range(0, kLargest));
  add("--repeats", options->repeats, "N", "Of each point, after a warm-up (default 7)")
      ->check(CLI::Range(1, 1000));
  add("--temperature", options->temperature, "T",
      "Of the requests: above 0 tokens are sampled (default: 0, or as in --experiment)")
      ->check(CLI::Range(0.0, 10.0));
  add("--kv-blocks", options->kv_blocks, "N",
      "KV blocks of 16 tokens; points that do not fit are left out (default: all fit)")
      ->check(CLI::Range(1, 1 << 24));
  add("--weights", options->weights, "TYPE", "f32, bf16, or auto (default): as the folder stores them")
      ->check(CLI::IsMember({"auto", "f32", "bf16"}));
  add("--threads", options->threads, "N", "All cores if not given")->check(CLI::Range(1, 1024));
  command->add_flag("--force", options->force, "Replace a profile that is there");
  command->footer(kProfileExamples);
  return {command, [options] { return profile_command(*options); }};
}

}  // namespace dspark
