#pragma once

#include <functional>
#include <string>
#include <vector>

#include "policies/error.h"

namespace CLI {
class App;
}

namespace dspark {

/// A command of the program: its options and `--help`, and what it does once they are read.
struct Command {
  CLI::App* app = nullptr;
  std::function<int()> call = {};  // returns an ExitCode
};

/// The option --set of commands that read an experiment.
void add_set_option(CLI::App& command, std::vector<std::string>& set);

/// The options of commands that simulate response surfaces and keep them.
void add_surface_options(CLI::App& command, std::string& cache, bool& no_cache, int& jobs, bool& quiet);
/// What such a command says, and its exit code, where it was interrupted or has errors to print.
int surfaces_failed(const Errors& errors, bool machine_cannot, bool interrupted);

Command add_run(CLI::App& program);
Command add_check(CLI::App& program);
Command add_list(CLI::App& program);
Command add_show(CLI::App& program);
Command add_compare(CLI::App& program);
Command add_figures(CLI::App& program);
Command add_calibrate(CLI::App& program);
Command add_check_lossless(CLI::App& program);
Command add_generate(CLI::App& program);
Command add_profile(CLI::App& program);
Command add_evaluate(CLI::App& program);
Command add_record(CLI::App& program);
Command add_replay(CLI::App& program);
Command add_equilibrium(CLI::App& program);
Command add_grow(CLI::App& program);
Command add_plan(CLI::App& program);

}  // namespace dspark
