#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "experiments/cli/command_options.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/equilibrium_report.h"
#include "experiments/cli/exit_code.h"
#include "experiments/cli/report.h"
#include "experiments/messages.h"
#include "experiments/schema/market_file.h"

namespace dspark {
namespace {

constexpr const char* kExamples =
    R"(A gain makes tokens cheaper or faster; people and programs answer with more requests, longer ones, and
applications that were not worth building. This finds where demand and supply meet again, and says which part of
the saving is left:

  rebound R = (E1 - E_eng) / (E0 - E_eng)     E0 before, E_eng the same tasks with the gain, E1 in equilibrium
  R 0: all is saved    R between: a part    R 1: nothing    R above 1: more is used than before (backfire, Jevons)

FILE says who asks (segments), who serves (supply), how the price follows the cost, and the gain. Elasticities are
written positive: usage ~ price^-elasticity. docs/demand.md explains every key and formula.

Examples:
  dspark equilibrium experiments/examples/constant_elasticity.yaml
  dspark equilibrium experiments/examples/constant_elasticity.yaml --set gain=2 --set elasticity=nber
  dspark equilibrium my.yaml --set 'price={average_cost: {pass_through: 0.5}}' --json | jq .rebound.all

With supply: {simulated: ...} the policies of an experiment serve: their response surfaces are simulated, kept
under --cache, and the solution is simulated once more with other seeds.
  dspark equilibrium experiments/examples/simulated_market.yaml --jobs 2

Exit codes: 0 done (also where there is no equilibrium: the answer says so), 2 invalid input, 3 the machine
cannot (disk), 130 interrupted: the same command goes on where it was.)";

int refused(const Errors& errors, bool machine_cannot, bool interrupted) {
  if (interrupted) {
    write_message("interrupted: what is simulated is kept; the same command goes on\n");
    return kInterrupted;
  }
  print_errors(errors);
  return machine_cannot ? kMachineCannot : kInvalidInput;
}

}  // namespace

int equilibrium_command(const EquilibriumOptions& options) {
  Errors errors;
  SurfaceBuilder surfaces(std::filesystem::path(options.file).parent_path().string(),
                          {options.no_cache ? std::string() : options.cache, options.jobs, options.quiet});
  const auto market = read_market_file(options.file, options.set, errors, &surfaces);
  if (!market) return refused(errors, surfaces.machine_cannot(), surfaces.interrupted());
  const ReboundReport report = study_rebound(*market);
  const CheckOutcome outcome = check_solution(*market, report, surfaces, errors);
  if (outcome.interrupted || !errors.empty())
    return refused(errors, outcome.machine_cannot, outcome.interrupted);
  const SolutionCheck* check = outcome.check ? &*outcome.check : nullptr;
  std::string text =
      options.json ? equilibrium_json(*market, report, check) : equilibrium_text(*market, report);
  if (market->measured && !options.json) text += simulated_supply_text(*market, check);
  return print_output(text) ? kDone : kMachineCannot;
}

Command add_equilibrium(CLI::App& program) {
  auto options = std::make_shared<EquilibriumOptions>();
  CLI::App* command = program.add_subcommand(
      "equilibrium", "How much of an efficiency gain is saved once demand has answered (rebound)");
  command->add_option("FILE", options->file, "The YAML file of a market")->required();
  add_set_option(*command, options->set);
  command->add_flag("--json", options->json, "One JSON object in the place of tables");
  command->add_option("--cache", options->cache, "Folder that keeps what a simulated supply has simulated")
      ->type_name("FOLDER")
      ->capture_default_str();
  command->add_flag("--no-cache", options->no_cache, "Simulate anew, and keep nothing");
  command->add_option("--jobs", options->jobs, "Threads for simulations; all cores if not given")
      ->check(CLI::Range(1, 4096));
  command->add_flag("--quiet", options->quiet, "No progress");
  command->footer(kExamples);
  return {command, [options] { return equilibrium_command(*options); }};
}

}  // namespace dspark
