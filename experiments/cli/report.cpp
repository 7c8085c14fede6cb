#include "experiments/cli/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace dspark {

void print_error(const Error& error) { fmt::print(stderr, "error: {}\n", to_string(error)); }

void print_errors(const Errors& errors) {
  constexpr std::size_t kPrinted = 50;
  for (std::size_t i = 0; i < std::min(errors.size(), kPrinted); ++i) print_error(errors[i]);
  if (errors.size() > kPrinted) fmt::print(stderr, "error: and {} more\n", errors.size() - kPrinted);
}

bool print_output(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  return (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) || errno == EPIPE;
}

}  // namespace dspark
