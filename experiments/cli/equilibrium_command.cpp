#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "experiments/cli/command_options.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/equilibrium_report.h"
#include "experiments/cli/exit_code.h"
#include "experiments/cli/report.h"
#include "experiments/cli/uncertainty_report.h"
#include "experiments/messages.h"
#include "experiments/schema/market_file.h"
#include "experiments/threads.h"

namespace dspark {
namespace {

constexpr const char* kExamples =
    R"(A gain makes tokens cheaper or faster; people and programs answer with more requests, longer ones, and
applications that were not worth building. This finds where demand and supply meet again, and says which part of
the saving is left:

  rebound R = (E1 - E_eng) / (E0 - E_eng)     E0 before, E_eng the same tasks with the gain, E1 in equilibrium
  R 0: all is saved    R between: a part    R 1: nothing    R above 1: more is used than before (backfire, Jevons)

FILE says who asks (segments), who serves (supply), how the price follows the cost, and the gain. Elasticities are
written positive: usage ~ price^-elasticity. Any number may be a distribution, {uniform: [0.2, 1.2]}: the market is
then solved at the medians, and with --draws for as many draws. docs/demand.md explains every key and formula.

Examples:
  dspark equilibrium experiments/examples/constant_elasticity.yaml
  dspark equilibrium experiments/examples/constant_elasticity.yaml --set gain=2 --set elasticity=nber
  dspark equilibrium experiments/examples/uncertain_demand.yaml --draws 10000
  dspark equilibrium my.yaml --set 'price={average_cost: {pass_through: 0.5}}' --json | jq .rebound.all

With supply: {simulated: ...} the policies of an experiment serve: their response surfaces are simulated, kept
under --cache, and the solution is simulated once more with other seeds.
  dspark equilibrium experiments/examples/simulated_market.yaml --jobs 2

Exit codes: 0 done (also where there is no equilibrium: the answer says so), 2 invalid input, 3 the machine
cannot (disk), 130 interrupted: the same command goes on where it was.)";

UncertaintyReport study_draws(const UncertainMarket& market, const EquilibriumOptions& options) {
  const auto drawn = [&](std::span<const double> uniforms, bool all) {
    return drawn_outcome(market, uniforms, all);
  };
  return study_uncertainty(market.keys.size(), drawn, options.draws, options.seed, on_threads(options.jobs));
}

}  // namespace

int equilibrium_command(const EquilibriumOptions& options) {
  Errors errors;
  SurfaceBuilder surfaces(std::filesystem::path(options.file).parent_path().string(),
                          {options.no_cache ? std::string() : options.cache, options.jobs, options.quiet});
  const auto read = read_uncertain_market(options.file, options.set, errors, &surfaces);
  if (read && options.draws > 0 && read->keys.empty()) {
    errors.push_back({"--draws: nothing in this market is uncertain", read->root.position,
                      "write a number as a distribution: elasticity: {uniform: [0.2, 1.2]}"});
  }
  if (!read || !errors.empty())
    return surfaces_failed(errors, surfaces.machine_cannot(), surfaces.interrupted());
  const Market& market = read->at_medians;
  const ReboundReport report = study_rebound(market);
  const CheckOutcome outcome = check_solution(market, report, surfaces, errors);
  if (outcome.interrupted || !errors.empty())
    return surfaces_failed(errors, outcome.machine_cannot, outcome.interrupted);
  const SolutionCheck* check = outcome.check ? &*outcome.check : nullptr;
  std::optional<UncertaintyReport> uncertainty;
  if (options.draws > 0) uncertainty = study_draws(*read, options);
  std::string text;
  if (options.json) {
    text = with_uncertainty(equilibrium_json(market, report, check), *read, uncertainty);
  } else {
    text = uncertainty ? uncertainty_text(*read, *uncertainty)
                       : equilibrium_text(market, report) + medians_text(*read);
    if (market.measured) text += simulated_supply_text(market, check);
  }
  return print_output(text) ? kDone : kMachineCannot;
}

Command add_equilibrium(CLI::App& program) {
  auto options = std::make_shared<EquilibriumOptions>();
  CLI::App* command = program.add_subcommand(
      "equilibrium", "How much of an efficiency gain is saved once demand has answered (rebound)");
  command->add_option("FILE", options->file, "The YAML file of a market")->required();
  add_set_option(*command, options->set);
  command
      ->add_option("--draws", options->draws,
                   "Draws of the numbers that are distributions: bands, backfire, sensitivity")
      ->check(CLI::Range(100, 100'000));
  command->add_option("--seed", options->seed, "Of the draws (default 1)");
  command->add_flag("--json", options->json, "One JSON object in the place of tables");
  add_surface_options(*command, options->cache, options->no_cache, options->jobs, options->quiet);
  command->footer(kExamples);
  return {command, [options] { return equilibrium_command(*options); }};
}

}  // namespace dspark
