#pragma once

#include "sim/for_each_index.h"

namespace dspark {

/// On `jobs` threads, the caller's among them; 0: as many as there are cores. An index goes to the next
/// thread that is free.
ForEachIndex on_threads(int jobs);

}  // namespace dspark
