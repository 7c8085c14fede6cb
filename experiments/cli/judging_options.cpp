#include <CLI/CLI.hpp>
#include <memory>

#include "experiments/cli/command_options.h"
#include "experiments/cli/commands.h"

namespace dspark {
namespace {

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

}  // namespace

Command add_calibrate(CLI::App& program) {
  auto options = std::make_shared<CalibrateOptions>();
  CLI::App* command =
      program.add_subcommand("calibrate", "Measure and correct the confidence of recorded rounds");
  command->add_option("ROUNDS", options->rounds, "A CSV table, or a .h5 file with /rounds")->required();
  command->add_option("--out", options->out, "Write the temperatures here; only printed if not given")
      ->type_name("NAME.yaml");
  command
      ->add_option("--figure", options->figure,
                   "Draw reliability by position, as PNG and PDF (needs python3 with h5py, matplotlib)")
      ->type_name("NAME.png");
  command
      ->add_option("--held-out", options->held_out,
                   "Share of the requests that evaluate and do not fit; 0: all do both (default 0.5)")
      ->type_name("SHARE")
      ->check(CLI::Range(0.0, 0.9));
  command->add_option("--bins", options->bins, "Equal-width bins of the ECE (default 20)")
      ->type_name("N")
      ->check(CLI::Range(1, 1000));
  command
      ->add_option("--form", options->form,
                   "rounds; or, for columns commits, category, a0 ...: conditional or cumulative estimates")
      ->type_name("FORM")
      ->check(CLI::IsMember({"rounds", "conditional", "cumulative"}));
  command
      ->add_option("--confidence", options->confidence,
                   "Judge what is learned online in the recorded one's place: margin_estimator, "
                   "acceptance_by_position")
      ->type_name("NAME");
  command->footer(kCalibrateExamples);
  return {command, [options] { return calibrate_command(*options); }};
}

Command add_check_lossless(CLI::App& program) {
  auto options = std::make_shared<CheckLosslessOptions>();
  CLI::App* command = program.add_subcommand(
      "check-lossless", "Does a policy keep the model's output? Proves it or shows where not");
  CLI::Option* policy =
      command
          ->add_option(
              "--policy", options->policies,
              "As an experiment writes it: dspark, fixed:3, '{tetris: {capacity: 4}}'; may be given again")
          ->type_name("POLICY")
          ->expected(1)
          ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--signal", options->signal, "What the confidence is made of; each if not given")
      ->type_name("SIGNAL")
      ->check(CLI::IsMember({"confidence", "top1", "margin", "entropy", "chosen", "chosen_greedy"}));
  command->add_flag("--all", options->all, "Every registered policy")->excludes(policy);
  command->footer(kCheckLosslessExamples);
  return {command, [options] { return check_lossless_command(*options); }};
}

}  // namespace dspark
