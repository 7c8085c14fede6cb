#include "kernels/contract.h"

#include <cstdio>
#include <cstdlib>

namespace dspark {

void broken_contract(const char* statement, const char* file, int line) {
  std::fprintf(stderr, "dspark: broken contract of an operator at %s:%d: %s\n", file, line, statement);
  std::abort();
}

}  // namespace dspark
