#pragma once

#include <cstddef>
#include <functional>

namespace dspark {

/// Calls job(i) for each i < count, each once, and returns when all are done.
using ForEachIndex = std::function<void(std::size_t count, const std::function<void(std::size_t)>& job)>;

/// On `jobs` threads, the caller's among them; 0: as many as there are cores. An index goes to the next
/// thread that is free.
ForEachIndex on_threads(int jobs);

}  // namespace dspark
