#pragma once

#include <cstdio>
#include <cstdlib>

namespace dspark {

/// Stops the fuzzer, which keeps the input, where a property of a reader does not hold.
inline void expect(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "property broken: %s\n", property);
  std::abort();
}

}  // namespace dspark
