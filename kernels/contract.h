#pragma once

namespace dspark {

[[noreturn]] void broken_contract(const char* statement, const char* file, int line);

/// Stops the program, in release builds too, where a caller breaks an operator's contract (kernels.h).
#define DSPARK_CONTRACT(statement) \
  ((statement) ? static_cast<void>(0) : ::dspark::broken_contract(#statement, __FILE__, __LINE__))

}  // namespace dspark
