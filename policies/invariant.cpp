#include "policies/invariant.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace dspark {

InvariantContext& invariant_context() {
  thread_local InvariantContext context;
  return context;
}

void broken_invariant(const char* statement, const char* file, int line) {
  const InvariantContext& at = invariant_context();
  fmt::print(
      stderr,
      "dspark: broken invariant at {}:{}: {}\n"
      "  seed {}, replication {}, simulated time {:.9f} s; please report this with the experiment file\n",
      file, line, statement, at.seed, at.replication, static_cast<double>(at.nanoseconds) * 1e-9);
  std::abort();
}

}  // namespace dspark
