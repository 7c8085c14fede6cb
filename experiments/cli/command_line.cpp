#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <new>
#include <optional>

#include "experiments/cli/commands.h"
#include "experiments/cli/exit_code.h"
#include "experiments/cli/profile_options.h"
#include "experiments/cli/provenance.h"
#include "experiments/cli/report.h"
#include "policies/nearest_name.h"

namespace dspark {
namespace {

constexpr const char* kRunExamples = R"(Examples:
  dspark run experiments/quickstart.yaml
      writes results/quickstart.h5 and results/quickstart.provenance.json
  dspark run study.yaml --jobs 2 --out /tmp/study.h5
  dspark run study.yaml --set policy=dspark --set 'stop={requests: 500}'
  dspark run study.yaml --set 'sweep.grid.policy=[none, fixed:3, {dspark: {cost: hull}}]'

  dspark run experiments/smollm2.yaml --durations results/smollm2.h5 --out results/again.h5
      the real models serve the same requests again, on the clock of the first run: the same bytes

A run that was interrupted or killed goes on where it stopped when the same command is given again.
The result does not depend on --jobs, nor on interruptions: the same experiment gives the same bytes. What is
measured on a real machine gives other numbers each time, and keeps its durations, given which it is the same too.)";

constexpr const char* kShowExamples = R"(Examples:
  dspark show results/quickstart.h5
  dspark show results/quickstart.h5 --metric itl_p99 --metric wasted_share
  dspark show results/quickstart.h5 --csv > quickstart.csv
      one row per point and metric: axes, metric, unit, mean, low, high, n
  dspark show results/quickstart.h5 --policies
      every policy against none at each load: differences within replications, whether they are significant after
      Holm's correction, the share of the oracle's gain, rejected draft tokens; --csv and --json for programs
  dspark show results/quickstart.h5 --policies --against fixed:3 --metric user_speed_mean)";

constexpr const char* kCalibrateExamples =
    R"(Policies multiply confidences c_k into the survival a_k of a draft token. A drafter that is too sure makes them
verify too much, one that is too modest too little. This measures by how much, and fits temperatures that bring
c_k' = sigmoid(logit(c_k) / T_k) as near to the truth as a temperature can (sequential temperature scaling).

ROUNDS is a table with one row per round: request, round, drafted, verified, accepted, confidence_1, confidence_2
... in any order; anchor_position, domain and other signals by position may stand beside them. Rounds that a policy
cut count where they were verified. docs/calibration.md says what is computed.

Examples:
  dspark calibrate experiments/data/example_rounds.csv
      ECE, AUC and Brier score by position, before and after, on requests that were not used to fit
  dspark calibrate rounds.csv --out temperatures.yaml --figure reliability.png
  dspark calibrate gate.csv --form cumulative
      columns commits, category, a0, a1 ...: what the estimates a_j mean must be said)";

constexpr const char* kCheckLosslessExamples =
    R"(Verifying fewer draft tokens must not change what the model writes. It does where the choice depends on tokens
that are then not verified. This goes through every draft of small systems, in every state that the policy
reaches, and looks for two drafts that agree on what is submitted and are decided differently.

SIGNAL is what the drafter's confidence is made of: confidence (a trained head), top1, margin, entropy: known before
their token is drawn; chosen: the probability of the drawn token itself; chosen_greedy: the same, drafted greedily.

Examples:
  dspark check-lossless --policy dspark
  dspark check-lossless --policy threshold:0.6 --signal chosen
      exposed: two drafts, two decisions, and how the output changes
  dspark check-lossless --all
      every policy with every signal; exit code 1 where one that says it keeps the output does not

Exit code for named policies: 0 not exposed, 1 exposed. docs/losslessness.md explains it.)";

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

constexpr const char* kProgramExamples = R"(A first tour:
  dspark run experiments/quickstart.yaml      run an experiment
  dspark show results/quickstart.h5           look at the numbers
  dspark figures results/quickstart.h5        draw them
  dspark list policies                        what can be compared
  dspark check my.yaml                        find all mistakes at once
  dspark calibrate rounds.csv                 can a drafter's confidence be believed?
  dspark check-lossless --policy dspark       does a policy keep the model's output?
  dspark generate --model DIR --prompt TEXT   let a real model answer, with and without a drafter
  dspark profile --model DIR --output FOLDER  what its steps cost here, as a modelled machine

Exit codes: 0 done, 1 a check failed, 2 invalid input, 3 the machine cannot, 130 interrupted and resumable.)";

void add_set_option(CLI::App& command, std::vector<std::string>& set) {
  command.add_option("--set", set, "Replace a value of the file: path.to.key=value; may be given again")
      ->type_name("PATH=VALUE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

class CommandLine {
 public:
  CommandLine() {
    app_.require_subcommand(1);
    app_.set_version_flag("--version", "dspark " + version_text(), "Print the version and leave");
    app_.footer(kProgramExamples);
    add_run();
    add_check();
    add_list();
    add_show();
    add_figures();
    add_calibrate();
    add_check_lossless();
    add_generate();
    profile_ = add_profile_command(app_, profile_options_);
  }

  int parse_and_call(int argc, const char* const* argv) {
    if (const auto wrong = unknown_command(argc, argv)) {
      print_error(*wrong);
      return kInvalidInput;
    }
    try {
      app_.parse(argc, argv);
    } catch (const CLI::Success& done) {  // --help and --version
      return app_.exit(done);
    } catch (const CLI::ParseError& wrong) {
      print_error({wrong.what(), {}, "'dspark --help' and 'dspark COMMAND --help' show examples"});
      return kInvalidInput;
    }
    if (run_->parsed()) return run_command(run_options_);
    if (check_->parsed()) return check_command(experiment_, set_);
    if (list_->parsed()) return list_command(what_, markdown_);
    if (show_->parsed()) return show_command(show_options_);
    if (check_lossless_->parsed()) return check_lossless_command(check_lossless_options_);
    if (generate_->parsed()) return generate_command(generate_options_);
    if (profile_->parsed()) return profile_command(profile_options_);
    if (calibrate_->parsed()) return calibrate_command(calibrate_options_);
    return figures_command(figures_options_);
  }

 private:
  /// CLI11 would only say that a command is missing.
  std::optional<Error> unknown_command(int argc, const char* const* argv) const {
    if (argc < 2 || argv[1][0] == '-') return std::nullopt;
    std::vector<std::string> known;
    for (const CLI::App* command : app_.get_subcommands({})) known.push_back(command->get_name());
    if (std::find(known.begin(), known.end(), argv[1]) != known.end()) return std::nullopt;
    return Error{fmt::format("unknown command '{}'", argv[1]), {}, known_names_advice(argv[1], known)};
  }

  void add_run() {
    run_ = app_.add_subcommand("run", "Run an experiment, or go on with one that was interrupted");
    run_->add_option("EXPERIMENT", run_options_.experiment, "The YAML file")->required();
    run_->add_option("--out", run_options_.out, "Result file; results/EXPERIMENT.h5 if not given")
        ->type_name("FILE.h5");
    run_->add_option("--jobs", run_options_.jobs, "Threads; all cores if not given")
        ->type_name("N")
        ->check(CLI::Range(1, 1024));
    add_set_option(*run_, run_options_.set);
    run_->add_option(
            "--durations", run_options_.durations,
            "Serve the measured points again with the step durations of this result, not those of now")
        ->type_name("RESULT.h5");
    run_->add_flag("--fresh", run_options_.fresh,
                   "Start again: discard a partial or finished result of this name");
    run_->add_flag("--quiet", run_options_.quiet, "Say nothing but errors");
    run_->footer(kRunExamples);
  }

  void add_check() {
    check_ = app_.add_subcommand("check", "Find all mistakes of an experiment file without running it");
    check_->add_option("EXPERIMENT", experiment_, "The YAML file")->required();
    add_set_option(*check_, set_);
    check_->footer("Example:\n  dspark check my.yaml --set policy=fixed:3");
  }

  void add_list() {
    list_ =
        app_.add_subcommand("list", "Show what an experiment can name, with parameters, units and defaults");
    list_->add_option("WHAT", what_, "policies, workloads, machines, metrics or all");
    list_->add_flag("--markdown", markdown_, "As the reference pages in docs/");
    list_->footer("Examples:\n  dspark list policies\n  dspark list all --markdown > reference.md");
  }

  void add_show() {
    show_ = app_.add_subcommand("show", "Print a result: a table per metric, crossovers and fits");
    show_->add_option("FILE.h5", show_options_.file, "A result file")->required();
    CLI::Option* csv =
        show_->add_flag("--csv", show_options_.csv, "Tidy rows: axes, metric, unit, mean, low, high, n");
    show_->add_flag("--json", show_options_.json, "Everything but series, as JSON")->excludes(csv);
    show_->add_option("--metric", show_options_.metrics, "Only this metric; may be given again")
        ->type_name("NAME")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    CLI::Option* policies = show_->add_flag(
        "--policies", show_options_.policies,
        "Compare all policies with one: paired differences, p values, share of the oracle's gain");
    show_->add_option("--against", show_options_.against, "That policy; none, else the first, if not given")
        ->type_name("POLICY")
        ->needs(policies);
    show_->footer(kShowExamples);
  }

  void add_figures() {
    figures_ = app_.add_subcommand(
        "figures", "Draw a result's figures as PNG and PDF (needs python3 with h5py, matplotlib)");
    figures_->add_option("FILE.h5", figures_options_.file, "A result file")->required();
    figures_
        ->add_option("--out", figures_options_.out, "Folder for the figures; that of the file if not given")
        ->type_name("DIR");
    figures_
        ->add_option("--figure", figures_options_.figures,
                     "frontier, load, crossover, verification_length, acceptance_by_position, "
                     "metric_by_load:METRIC or through_time:COLUMN; those of the experiment if not given; "
                     "may be given again")
        ->type_name("NAME")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    figures_
        ->add_option("--where", figures_options_.where,
                     "Only the points with this value of an axis, or one of several; may be given again")
        ->type_name("AXIS=VALUE")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    figures_
        ->add_option("--lines", figures_options_.lines,
                     "A line for each value of this axis instead of each policy; needs one policy (--where)")
        ->type_name("AXIS");
    figures_
        ->add_option("--relative-to", figures_options_.relative_to,
                     "Draw metric_by_load in % of this line, with intervals of the ratio within replications")
        ->type_name("LINE");
    figures_->footer(
        "Examples:\n  dspark figures results/quickstart.h5 --out results/figures\n"
        "  dspark figures results/quickstart.h5 --figure metric_by_load:itl_p99 --where policy=none --where "
        "policy=dspark\n"
        "  dspark figures results/quickstart.h5 --figure metric_by_load:throughput --relative-to fixed:3");
  }

  void add_calibrate() {
    calibrate_ = app_.add_subcommand("calibrate", "Measure and correct the confidence of recorded rounds");
    calibrate_->add_option("ROUNDS", calibrate_options_.rounds, "A CSV table, or a .h5 file with /rounds")
        ->required();
    calibrate_
        ->add_option("--out", calibrate_options_.out,
                     "Write the temperatures here; only printed if not given")
        ->type_name("NAME.yaml");
    calibrate_
        ->add_option("--figure", calibrate_options_.figure,
                     "Draw reliability by position, as PNG and PDF (needs python3 with h5py, matplotlib)")
        ->type_name("NAME.png");
    calibrate_
        ->add_option("--held-out", calibrate_options_.held_out,
                     "Share of the requests that evaluate and do not fit; 0: all do both (default 0.5)")
        ->type_name("SHARE")
        ->check(CLI::Range(0.0, 0.9));
    calibrate_->add_option("--bins", calibrate_options_.bins, "Equal-width bins of the ECE (default 20)")
        ->type_name("N")
        ->check(CLI::Range(1, 1000));
    calibrate_
        ->add_option("--form", calibrate_options_.form,
                     "rounds; or, for columns commits, category, a0 ...: conditional or cumulative estimates")
        ->type_name("FORM")
        ->check(CLI::IsMember({"rounds", "conditional", "cumulative"}));
    calibrate_->footer(kCalibrateExamples);
  }

  void add_check_lossless() {
    check_lossless_ = app_.add_subcommand(
        "check-lossless", "Does a policy keep the model's output? Proves it or shows where not");
    CLI::Option* policy =
        check_lossless_
            ->add_option(
                "--policy", check_lossless_options_.policies,
                "As an experiment writes it: dspark, fixed:3, '{tetris: {capacity: 4}}'; may be given again")
            ->type_name("POLICY")
            ->expected(1)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    check_lossless_
        ->add_option("--signal", check_lossless_options_.signal,
                     "What the confidence is made of; each if not given")
        ->type_name("SIGNAL")
        ->check(CLI::IsMember({"confidence", "top1", "margin", "entropy", "chosen", "chosen_greedy"}));
    check_lossless_->add_flag("--all", check_lossless_options_.all, "Every registered policy")
        ->excludes(policy);
    check_lossless_->footer(kCheckLosslessExamples);
  }

  void add_generate() {
    generate_ =
        app_.add_subcommand("generate", "Let a model answer a prompt, verifying what a drafter proposes");
    GenerateOptions& options = generate_options_;
    const auto add = [this](const char* name, auto& value, const char* type, const char* meaning) {
      return generate_->add_option(name, value, meaning)->type_name(type);
    };
    add("--model", options.model, "DIR", "Folder with config.json, *.safetensors and tokenizer.json")
        ->required();
    add("--prompt", options.prompt, "TEXT", "What the user says")->required();
    add("--system", options.system, "TEXT", "System prompt; the model's own if not given");
    generate_->add_flag("--raw", options.raw, "Take the prompt as it is, without the model's chat template");
    add("--drafter", options.drafter, "WHAT",
        "none (default); ngram: what followed the same tokens before; or the folder of a drafter");
    add("--block-size", options.block_size, "N",
        "Longest block that the drafter proposes, within what it can (default 7)")
        ->check(CLI::Range(1, 64));
    add("--policy", options.policy, "POLICY",
        "As an experiment writes it (default: the whole block; none without a drafter)");
    add("--max-tokens", options.max_tokens, "N", "Longest reply (default 256)")
        ->check(CLI::Range(1, 1 << 20));
    add("--temperature", options.temperature, "T", "0 (default): always the likeliest token")
        ->check(CLI::Range(0.0, 100.0));
    add("--top-k", options.top_k, "K", "Choose among the K likeliest tokens; 0 (default): all")
        ->check(CLI::Range(0, 1 << 30));
    add("--top-p", options.top_p, "P", "Choose among the likeliest tokens of probability P (default 1)")
        ->check(CLI::Range(1e-6, 1.0));
    add("--min-p", options.min_p, "P", "Leave out tokens below P times the likeliest one (default 0)")
        ->check(CLI::Range(0.0, 0.999999));
    add("--seed", options.seed, "N", "Of the draws (default 0)");
    add("--weights", options.weights, "TYPE", "f32, bf16, or auto (default): as the folder stores them")
        ->check(CLI::IsMember({"auto", "f32", "bf16"}));
    add("--threads", options.threads, "N", "All cores if not given")->check(CLI::Range(1, 1024));
    generate_->add_flag("--show-draft", options.show_draft, "Mark accepted and rejected draft tokens");
    generate_->add_flag("--json", options.json,
                        "One JSON document instead of the text: token_ids, text, rounds, tau ...");
    generate_->footer(kGenerateExamples);
  }

  CLI::App app_{"How many draft tokens should a serving system verify? Experiments on speculative decoding.",
                "dspark"};
  CLI::App* run_ = nullptr;
  CLI::App* check_ = nullptr;
  CLI::App* list_ = nullptr;
  CLI::App* show_ = nullptr;
  CLI::App* figures_ = nullptr;
  CLI::App* calibrate_ = nullptr;
  CLI::App* check_lossless_ = nullptr;
  CLI::App* generate_ = nullptr;
  CLI::App* profile_ = nullptr;
  RunOptions run_options_;
  ShowOptions show_options_;
  FiguresOptions figures_options_;
  CalibrateOptions calibrate_options_;
  CheckLosslessOptions check_lossless_options_;
  GenerateOptions generate_options_;
  ProfileCommandOptions profile_options_;
  std::string experiment_;
  std::vector<std::string> set_;
  std::string what_ = "all";
  bool markdown_ = false;
};

}  // namespace

int command_line(int argc, const char* const* argv) {
  try {
    return CommandLine().parse_and_call(argc, argv);
  } catch (const std::bad_alloc&) {
    print_error({"not enough memory"});
  } catch (const std::exception& failure) {  // a system call of the standard library: threads, folders
    print_error({failure.what()});
  }
  return kMachineCannot;
}

}  // namespace dspark
