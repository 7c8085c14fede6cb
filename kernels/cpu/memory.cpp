#include "kernels/cpu/memory.h"

#include <sys/mman.h>

#include <algorithm>

namespace dspark {

Memory allocate_memory(std::size_t bytes) {
  constexpr std::size_t kLine = 64, kHugePage = std::size_t{2} << 20;
  // 512 GiB: more is a mistake, and sizes below are far from wrapping round.
  constexpr std::size_t kMost = std::size_t{1} << 39;
  const std::size_t alignment = bytes >= kHugePage ? kHugePage : kLine;
  if (bytes > kMost) return nullptr;
  const std::size_t whole = std::max<std::size_t>((bytes + alignment - 1) / alignment, 1) * alignment;
  Memory memory(static_cast<std::byte*>(std::aligned_alloc(alignment, whole)));
  // Advice: where the system has no huge pages, the memory is as good with small ones.
  if (memory != nullptr && alignment == kHugePage) madvise(memory.get(), whole, MADV_HUGEPAGE);
  return memory;
}

}  // namespace dspark
