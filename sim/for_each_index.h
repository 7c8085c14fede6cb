#pragma once

#include <cstddef>
#include <functional>

namespace dspark {

/// Calls job(i) for each i < count, each once, in any order and on any number of threads, and returns when
/// all are done. Who has threads gives one (experiments/threads.h); nothing in sim starts any.
using ForEachIndex = std::function<void(std::size_t count, const std::function<void(std::size_t)>& job)>;

}  // namespace dspark
