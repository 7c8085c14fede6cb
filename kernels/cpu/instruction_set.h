#pragma once

#include <span>
#include <string_view>

namespace dspark {

/// Instruction sets that the matrix products are written for. With f32 weights all give the same bits. With
/// bf16 weights the first two do; kAvx512Bf16 multiplies bf16 activations and so rounds otherwise.
enum class InstructionSet {
  kAvx2,        // with FMA and F16C; what every operator needs at least
  kAvx512,      // F, BW, DQ and VL
  kAvx512Bf16,  // and BF16: sums of two products of bf16 in f32
};

/// "avx2", "avx512", "avx512_bf16".
std::string_view name_of(InstructionSet set);

/// What this processor runs, from the slowest; empty where it lacks AVX2, FMA or F16C.
std::span<const InstructionSet> instruction_sets();

}  // namespace dspark
