#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <string>

namespace dspark {

/// The program under test, run by a shell in a folder.
struct ProgramRun {
  int code = -1;
  std::string output;  // stdout and stderr, as `redirect` says
};

inline std::string program_path() { return DSPARK_BINARY_DIR "/dspark"; }

/// `arguments` are shell text; `dspark` within them stands for nothing special. Redirect: "2>&1" for both
/// streams.
inline ProgramRun run_program(const std::string& folder, const std::string& arguments,
                              const std::string& redirect = "2>&1") {
  const std::string command = "cd '" + folder + "' && '" + program_path() + "' " + arguments + " " + redirect;
  ProgramRun run;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (!pipe) return run;
  char buffer[4096];
  for (std::size_t got; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    run.output.append(buffer, got);
  const int status = ::pclose(pipe);
  run.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return run;
}

}  // namespace dspark
