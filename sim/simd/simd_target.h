#pragma once

#include <span>
#include <string_view>

namespace dspark {

/// Instruction sets that the simulator's column loops are compiled for. All give the same bits: none has a
/// fused multiply-add, and a lane does the operations of the scalar code in the same order
/// (tests/sim/acceptance/latent_columns_test.cpp).
enum class SimdTarget {
  kBaseline,  // every x86-64
  kAvx2,
  kAvx512,  // F, BW, DQ and VL
};

std::string_view name_of(SimdTarget target);

/// What this build has and this processor runs, from the slowest; the baseline is always there. Builds with
/// DSPARK_SIMD=baseline have nothing else.
std::span<const SimdTarget> simd_targets();

/// The one in use: the last of `simd_targets()` unless another was asked for.
SimdTarget simd_target();
/// For tests and benchmarks, while no simulation runs: use this one of `simd_targets()` from now on.
void use_simd_target(SimdTarget target);

}  // namespace dspark
