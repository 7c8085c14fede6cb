#include <CLI/CLI.hpp>
#include <memory>
#include <thread>

#include "experiments/cli/command_options.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/exit_code.h"
#include "experiments/cli/plan_report.h"
#include "experiments/cli/report.h"
#include "experiments/messages.h"
#include "experiments/sweep/interrupt.h"

namespace dspark {
namespace {

constexpr const char* kExamples =
    R"(How many GPUs serve this traffic with this promise to users, under which policy, on which machine, with which
size of batch? Every capacity is found by simulation with a stated confidence, the plan is simulated again with new
seeds, and why the other candidates lose is said. docs/planning.md explains every key and what is proved.

Examples:
  dspark plan experiments/examples/plan.yaml
  dspark plan my.yaml --set objective=dollars --set slo.user_speed=100
  dspark plan my.yaml --json | jq .best.gpus

What was simulated is kept in --cache and not simulated again, also after Ctrl-C.

Exit codes: 0 done, 2 invalid input, 4 no candidate keeps the promise (the answer says which limit binds),
130 interrupted.)";

}  // namespace

int plan_command(const PlanCommandOptions& options) {
  Errors errors;
  const auto file = read_plan_file(options.file, options.set, errors);
  if (!file) {
    print_errors(errors);
    return kInvalidInput;
  }
  catch_interrupts();
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const PlanningOptions planning{.cache = options.no_cache ? "" : options.cache,
                                 .jobs = options.jobs > 0 ? options.jobs : cores,
                                 .quiet = options.quiet,
                                 .exhaustive = options.exhaustive};
  const auto answer = find_plan(*file, planning, interrupt_requested());
  if (!answer) {
    write_message(options.no_cache ? "interrupted\n" : "interrupted; the same command goes on from here\n");
    return kInterrupted;
  }
  if (!print_output(options.json ? plan_json(*file, *answer) : plan_text(*file, *answer)))
    return kMachineCannot;
  return answer->best ? kDone : kNoPlan;
}

Command add_plan(CLI::App& program) {
  auto options = std::make_shared<PlanCommandOptions>();
  CLI::App* command = program.add_subcommand(
      "plan", "How many GPUs serve a forecast of traffic with a promise to users (capacity)");
  command->add_option("FILE", options->file, "The YAML file of a plan")->required();
  add_set_option(*command, options->set);
  command->add_flag("--json", options->json, "One JSON object in the place of tables");
  command->add_option("--jobs", options->jobs, "Threads; all cores if not given")->check(CLI::Range(1, 4096));
  command->add_option("--cache", options->cache, "Folder of what was simulated")
      ->type_name("DIR")
      ->capture_default_str();
  command->add_flag("--no-cache", options->no_cache, "Keep nothing, and simulate all again");
  command->add_flag("--exhaustive", options->exhaustive,
                    "Find the capacity of every candidate, also of those that have lost (same plan, slower)");
  command->add_flag("--quiet", options->quiet, "No progress");
  command->footer(kExamples);
  return {command, [options] { return plan_command(*options); }};
}

}  // namespace dspark
