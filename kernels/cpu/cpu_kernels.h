#pragma once

#include <memory>
#include <optional>
#include <string>

#include "kernels/cpu/instruction_set.h"
#include "kernels/kernels.h"

namespace dspark {

struct CpuOptions {
  ElementType weight_type = ElementType::kBf16;   // kF32 or kBf16
  std::optional<ElementType> cache_type;          // kF32 or kBf16; that of the weights unless it is named
  int threads = 1;                                // 1 .. 1024, the caller's among them
  std::optional<InstructionSet> instruction_set;  // the best of this processor unless it is named
};

/// The operators on this processor, or why it cannot run them.
struct CpuKernels {
  std::unique_ptr<Kernels> kernels;  // null where there is an error
  std::string error;
};

/// Operators for x86-64 with AVX2, FMA and F16C; memory is the host's, and every call returns when it is
/// done. Results are the same on every number of threads, and on every instruction set too where the weights
/// are f32. An error names what the processor lacks or what of the options is out of range.
CpuKernels make_cpu_kernels(const CpuOptions& options);

}  // namespace dspark
