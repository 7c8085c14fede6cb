#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "experiments/cli/command_options.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/exit_code.h"
#include "experiments/cli/figure_program.h"
#include "experiments/cli/grow_report.h"
#include "experiments/cli/report.h"
#include "experiments/surface/growth_check.h"

namespace dspark {
namespace {

constexpr const char* kExamples =
    R"(A market of `dspark equilibrium` from epoch to epoch. Users grow by themselves, a policy spreads over the
servers, GPUs are ordered, delivered and retired, new generations appear, prices are renewed and demand answers, all
with the lags that FILE gives under `growth`. Three paths are followed: without the policy, with it, and with it for
the demand of the first (engineering alone); rebound R compares them at the same epoch.

Examples:
  dspark grow experiments/examples/growth.yaml
  dspark grow experiments/examples/growth.yaml --set growth.lead_epochs=4 --set elasticity=nber
  dspark grow experiments/examples/growth.yaml --csv > path.csv
  dspark grow experiments/examples/growth.yaml --figure results/growth.png
  dspark grow experiments/examples/growth.yaml --json | jq '.in_all.gpu_hours.rebound'

With supply: {simulated: ...} every epoch is simulated once more, by discrete events at its load.

Exit codes: 0 done (also where a path breaks off: the answer says where), 2 invalid input, 3 the machine cannot (disk),
130 interrupted: the same command goes on where it was.)";

int fail(const Error& error, ExitCode code) {
  print_error(error);
  return code;
}

/// What goes to standard output where no figure says it.
std::string answer(const GrowOptions& options, const GrowthFile& file, const GrowthReport& report,
                   const GrowthCheck& check) {
  if (options.json) return grow_json(file, report, check);
  return options.csv ? grow_csv(report) : grow_text(file, report, check);
}

}  // namespace

int grow_command(const GrowOptions& options) {
  std::optional<FigureProgram> program;
  if (!options.figure.empty()) {
    if (const auto wrong = wrong_figure_path(options.figure)) return fail(*wrong, kInvalidInput);
    const auto found = find_figure_program("growth.py");
    if (!found) return fail(found.error(), kMachineCannot);
    program = *found;
  }
  Errors errors;
  SurfaceBuilder surfaces(std::filesystem::path(options.file).parent_path().string(),
                          {options.no_cache ? std::string() : options.cache, options.jobs, options.quiet});
  auto file = read_growth_file(options.file, options.set, errors, &surfaces);
  if (!file) return surfaces_failed(errors, surfaces.machine_cannot(), surfaces.interrupted());
  const GrowthReport report = study_growth(file->market, file->plan);
  const GrowthCheck check = check_growth(file->market, report, surfaces, errors);
  if (check.interrupted || !errors.empty())
    return surfaces_failed(errors, check.machine_cannot, check.interrupted);
  if (!print_output(answer(options, *file, report, check))) return kMachineCannot;
  if (!program) return kDone;
  const auto code = run_figure_program(*program, {options.figure}, grow_json(*file, report, check));
  return code ? *code : fail(code.error(), kMachineCannot);
}

Command add_grow(CLI::App& program) {
  auto options = std::make_shared<GrowOptions>();
  CLI::App* command = program.add_subcommand(
      "grow", "GPUs, prices, demand and rebound over the coming quarters, with a policy and without");
  command->add_option("FILE", options->file, "The YAML file of a market with `growth`")->required();
  add_set_option(*command, options->set);
  CLI::Option* json = command->add_flag("--json", options->json, "One JSON object in the place of tables");
  command->add_flag("--csv", options->csv, "One line for each epoch and path")->excludes(json);
  command->add_option("--figure", options->figure,
                      "NAME.png (and NAME.pdf): GPUs, tokens by channel, price and rebound over time");
  add_surface_options(*command, options->cache, options->no_cache, options->jobs, options->quiet);
  command->footer(kExamples);
  return {command, [options] { return grow_command(*options); }};
}

}  // namespace dspark
