#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "experiments/cli/commands.h"
#include "experiments/cli/exit_code.h"
#include "experiments/cli/report.h"
#include "experiments/results/hdf5_file.h"

namespace dspark {
namespace {

namespace fs = std::filesystem;

/// $DSPARK_FIGURES, else beside an installed program, else in the source tree.
std::string find_script() {
  if (const char* given = std::getenv("DSPARK_FIGURES")) return given;
  std::error_code failure;
  const fs::path program = fs::read_symlink("/proc/self/exe", failure);
  const fs::path installed = program.parent_path().parent_path() / "share/dspark/figures/plot.py";
  if (!failure && fs::exists(installed, failure)) return installed.string();
  return DSPARK_SOURCE_FIGURES "/plot.py";
}

/// True where the interpreter exists and has what the script imports.
bool can_draw(const std::string& python) {
  std::string program = python;
  std::string option = "-c";
  std::string imports = "import h5py, matplotlib, numpy";
  char* const arguments[] = {program.data(), option.data(), imports.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int failure = ::posix_spawnp(&child, program.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  return failure == 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

/// $DSPARK_PYTHON, else the first of the path's and the system's python3 that has h5py and matplotlib:
/// Debian's packages serve /usr/bin/python3, which another one often hides. Empty where there is none.
std::string find_python() {
  if (const char* given = std::getenv("DSPARK_PYTHON")) return given;
  for (const char* python : {"python3", "/usr/bin/python3"}) {
    if (can_draw(python)) return python;
  }
  return {};
}

}  // namespace

int figures_command(const FiguresOptions& options) {
  const std::string& file = options.file;
  if (const auto content = read_result_file(file); !content) {
    print_error(content.error());
    return kInvalidInput;
  }
  const std::string script = find_script();
  std::error_code ignored;
  if (!fs::is_regular_file(script, ignored)) {
    print_error({fmt::format("cannot find the figures script '{}'", script), {}, "DSPARK_FIGURES names it"});
    return kMachineCannot;
  }
  const fs::path parent = fs::path(file).parent_path();
  const std::string folder = !options.out.empty() ? options.out : parent.empty() ? "." : parent.string();
  const std::string python = find_python();
  if (python.empty()) {
    print_error(
        {"figures need python3 with h5py, numpy and matplotlib",
         {},
         "on Debian: apt install python3-h5py python3-matplotlib; DSPARK_PYTHON names another interpreter"});
    return kMachineCannot;
  }
  std::vector<std::string> arguments = {python, script, file, "--out", folder};
  for (const std::string& figure : options.figures) arguments.insert(arguments.end(), {"--figure", figure});
  for (const std::string& where : options.where) arguments.insert(arguments.end(), {"--where", where});
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  ::execvp(python.c_str(), pointers.data());
  print_error({fmt::format("cannot start '{}': {}", python, std::strerror(errno))});
  return kMachineCannot;
}

}  // namespace dspark
