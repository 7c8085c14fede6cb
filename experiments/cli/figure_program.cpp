#include "experiments/cli/figure_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "experiments/files.h"

namespace dspark {
namespace {

namespace fs = std::filesystem;

std::string find_script(const std::string& name) {
  if (const char* given = std::getenv("DSPARK_FIGURES")) {
    return name == "plot.py" ? std::string(given) : (fs::path(given).parent_path() / name).string();
  }
  std::error_code failure;
  const fs::path program = fs::read_symlink("/proc/self/exe", failure);
  const fs::path installed = program.parent_path().parent_path() / "share/dspark/figures" / name;
  if (!failure && fs::exists(installed, failure)) return installed.string();
  return DSPARK_SOURCE_FIGURES "/" + name;
}

/// Pointers for exec; `words` must outlive them.
std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// Exit code of a child whose stream `fd` is `source` (a descriptor), or -1 with errno.
int spawn_and_wait(std::vector<std::string> words, int fd, int source) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, source, fd);
  pid_t child = 0;
  const std::vector<char*> pointers = pointers_to(words);
  const int failure =
      ::posix_spawnp(&child, words.front().c_str(), &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) {
    errno = failure;
    return -1;
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// True where the interpreter exists and has what the scripts import.
bool can_draw(const std::string& python) {
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere < 0) return false;
  const int code = spawn_and_wait({python, "-c", "import h5py, matplotlib, numpy"}, STDERR_FILENO, nowhere);
  ::close(nowhere);
  return code == 0;
}

/// Debian's packages serve /usr/bin/python3, which another one often hides. Empty where there is none.
std::string find_python() {
  if (const char* given = std::getenv("DSPARK_PYTHON")) return given;
  for (const char* python : {"python3", "/usr/bin/python3"}) {
    if (can_draw(python)) return python;
  }
  return {};
}

std::vector<std::string> command_of(const FigureProgram& program, const std::vector<std::string>& arguments) {
  std::vector<std::string> words{program.python, program.script};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

Error cannot_start(const FigureProgram& program) {
  return {fmt::format("cannot start '{}': {}", program.python, std::strerror(errno))};
}

}  // namespace

Result<FigureProgram> find_figure_program(const std::string& name) {
  FigureProgram program{{}, find_script(name)};
  std::error_code ignored;
  if (!fs::is_regular_file(program.script, ignored)) {
    return Error{
        fmt::format("cannot find the figures script '{}'", program.script), {}, "DSPARK_FIGURES names it"};
  }
  program.python = find_python();
  if (program.python.empty()) {
    return Error{
        "figures need python3 with h5py, numpy and matplotlib",
        {},
        "on Debian: apt install python3-h5py python3-matplotlib; DSPARK_PYTHON names another interpreter"};
  }
  return program;
}

std::optional<Error> wrong_figure_path(const std::string& path) {
  if (!path.ends_with(".png"))
    return Error{fmt::format("'{}' does not end in .png", path), {}, "a .pdf is written beside it"};
  std::error_code ignored;
  if (!fs::exists(path, ignored) || fs::is_regular_file(path, ignored)) return std::nullopt;
  return Error{fmt::format("'{}' is not a regular file", path), {}, "--figure names a file"};
}

Error replace_by_figure_program(const FigureProgram& program, const std::vector<std::string>& arguments) {
  std::vector<std::string> words = command_of(program, arguments);
  ::execvp(program.python.c_str(), pointers_to(words).data());
  return cannot_start(program);
}

Result<int> run_figure_program(const FigureProgram& program, const std::vector<std::string>& arguments,
                               const std::string& input) {
  // A file in memory: a pipe could fill up while nobody reads.
  const int memory = ::memfd_create("figure input", MFD_CLOEXEC);
  if (memory < 0) return cannot_start(program);
  const auto failure = write_all(memory, input);
  ::lseek(memory, 0, SEEK_SET);
  const int code = failure ? -1 : spawn_and_wait(command_of(program, arguments), STDIN_FILENO, memory);
  const Error error = cannot_start(program);
  ::close(memory);
  if (code < 0) return error;
  return code;
}

}  // namespace dspark
