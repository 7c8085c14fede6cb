#include "experiments/cli/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "experiments/messages.h"

namespace dspark {

void print_error(const Error& error) { write_message(fmt::format("error: {}\n", to_string(error))); }

void print_errors(const Errors& errors) {
  constexpr std::size_t kPrinted = 50;
  for (std::size_t i = 0; i < std::min(errors.size(), kPrinted); ++i) print_error(errors[i]);
  if (errors.size() > kPrinted) write_message(fmt::format("error: and {} more\n", errors.size() - kPrinted));
}

bool print_output(const std::string& text) {
  errno = 0;
  std::fwrite(text.data(), 1, text.size(), stdout);
  if ((std::fflush(stdout) == 0 && std::ferror(stdout) == 0) || errno == EPIPE) return true;
  print_error({fmt::format("cannot write the output: {}", std::strerror(errno))});
  return false;
}

}  // namespace dspark
