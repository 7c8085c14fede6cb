#pragma once

#include <cstdint>

namespace dspark {

/// What a broken invariant prints, so that the run can be repeated: set by whoever drives a simulation, one
/// per thread.
struct InvariantContext {
  std::uint64_t seed = 0;
  std::uint32_t replication = 0;
  std::int64_t nanoseconds = 0;
};
InvariantContext& invariant_context();

[[noreturn]] void broken_invariant(const char* statement, const char* file, int line);

/// Stops the program, in release builds too, when a statement about our own state is false. Never used for
/// input.
#define DSPARK_INVARIANT(statement) \
  ((statement) ? static_cast<void>(0) : ::dspark::broken_invariant(#statement, __FILE__, __LINE__))

}  // namespace dspark
