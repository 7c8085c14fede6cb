#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <utility>

#include "kernels/kernels.h"

namespace dspark {

struct FreeMemory {
  void operator()(std::byte* memory) const { std::free(memory); }
};
/// Aligned to a cache line at least, to 2 MiB where it is larger, and then on huge pages where the system has
/// them: a stream of weights is not to wait for the page table.
using Memory = std::unique_ptr<std::byte[], FreeMemory>;

/// Not initialised; null where memory runs out.
Memory allocate_memory(std::size_t bytes);

class CpuBuffer final : public Buffer {
 public:
  CpuBuffer(Memory memory, std::size_t bytes) : memory_(std::move(memory)), bytes_(bytes) {}
  std::byte* data() const override { return memory_.get(); }
  std::size_t bytes() const override { return bytes_; }

 private:
  Memory memory_;
  std::size_t bytes_;
};

}  // namespace dspark
