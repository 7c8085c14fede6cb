#include <CLI/CLI.hpp>

#include "experiments/cli/command_options.h"
#include "experiments/cli/exit_code.h"
#include "experiments/cli/report.h"
#include "experiments/messages.h"

namespace dspark {

void add_surface_options(CLI::App& command, std::string& cache, bool& no_cache, int& jobs, bool& quiet) {
  command.add_option("--cache", cache, "Folder that keeps what a simulated supply has simulated")
      ->type_name("FOLDER")
      ->capture_default_str();
  command.add_flag("--no-cache", no_cache, "Simulate anew, and keep nothing");
  command.add_option("--jobs", jobs, "Threads; all cores if not given")->check(CLI::Range(1, 4096));
  command.add_flag("--quiet", quiet, "No progress");
}

int surfaces_failed(const Errors& errors, bool machine_cannot, bool interrupted) {
  if (interrupted) {
    write_message("interrupted: what is simulated is kept; the same command goes on\n");
    return kInterrupted;
  }
  print_errors(errors);
  return machine_cannot ? kMachineCannot : kInvalidInput;
}

}  // namespace dspark
