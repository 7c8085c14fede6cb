#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <new>
#include <optional>

#include "experiments/cli/command_options.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/exit_code.h"
#include "experiments/cli/provenance.h"
#include "experiments/cli/report.h"
#include "policies/nearest_name.h"

namespace dspark {
namespace {

constexpr const char* kProgramExamples = R"(A first tour:
  dspark run experiments/quickstart.yaml      run an experiment
  dspark show results/quickstart.h5           look at the numbers
  dspark compare A.h5 B.h5                    how far apart two results are
  dspark figures results/quickstart.h5        draw them
  dspark list policies                        what can be compared
  dspark check my.yaml                        find all mistakes at once
  dspark calibrate rounds.csv                 can a drafter's confidence be believed?
  dspark check-lossless --policy dspark       does a policy keep the model's output?
  dspark generate --model DIR --prompt TEXT   let a real model answer, with and without a drafter
  dspark profile --model DIR --output FOLDER  what its steps cost here, as a modelled machine
  dspark evaluate --model DIR --drafter DIR --prompts FILE   how its drafters fare
  dspark record my.yaml --out rounds.h5       every round of a real run
  dspark replay rounds.h5                     the same run in the simulator, without the model
  dspark equilibrium market.yaml              what a gain saves once demand has answered
  dspark grow growth.yaml                     the same from quarter to quarter, with new GPUs and users
  dspark plan plan.yaml                       how many GPUs serve a forecast of traffic

Exit codes: 0 done, 1 a check failed, 2 invalid input, 3 the machine cannot, 4 no plan, 130 interrupted and resumable.)";

using AddCommand = Command (*)(CLI::App& program);

/// In the order of `dspark --help`.
constexpr AddCommand kCommands[] = {add_run,      add_check,       add_list,      add_show,
                                    add_compare,  add_figures,     add_calibrate, add_check_lossless,
                                    add_generate, add_profile,     add_evaluate,  add_record,
                                    add_replay,   add_equilibrium, add_grow,      add_plan};

class CommandLine {
 public:
  CommandLine() {
    app_.require_subcommand(1);
    app_.set_version_flag("--version", "dspark " + version_text(), "Print the version and leave");
    app_.footer(kProgramExamples);
    for (const AddCommand add : kCommands) commands_.push_back(add(app_));
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
    const auto asked = std::find_if(commands_.begin(), commands_.end(),
                                    [](const Command& command) { return command.app->parsed(); });
    return asked->call();
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

  CLI::App app_{"How many draft tokens should a serving system verify? Experiments on speculative decoding.",
                "dspark"};
  std::vector<Command> commands_;
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
