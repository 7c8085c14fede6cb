#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace dspark {

struct FreeMemory {
  void operator()(std::byte* memory) const { std::free(memory); }
};
/// Aligned to a cache line at least, to 2 MiB where it is larger, and then on huge pages where the system has
/// them: a stream of weights is not to wait for the page table.
using Memory = std::unique_ptr<std::byte[], FreeMemory>;

/// Not initialised; null where memory runs out.
Memory allocate_memory(std::size_t bytes);

}  // namespace dspark
