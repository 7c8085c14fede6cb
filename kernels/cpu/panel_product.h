#pragma once

#include <cstddef>

#include "kernels/cpu/instruction_set.h"

namespace dspark {

/// Rows times a stretch of a panel of packed weights.
struct PanelProduct {
  const std::byte* x = nullptr;  // first row's first input of the stretch: f32, or bf16 (bf16_products)
  std::size_t x_row_bytes = 0;   // from one row to the next
  std::size_t rows = 0;
  const std::byte* panel = nullptr;  // first step of the stretch (packed_matrix.h)
  std::size_t inputs = 0;            // of the stretch; even unless it is a panel's last
  float* sums = nullptr;             // (rows, 32): read where `goes_on`, written
  bool goes_on = false;              // sums hold those of the inputs before
};

/// sums (+)= x · panel. A row's sums are one chain of fused multiply-adds over rising inputs for each of the
/// 32 outputs, however many rows there are and wherever a stretch begins.
using MultiplyPanel = void (*)(const PanelProduct&);

/// f32 weights; any instruction set gives the same bits.
MultiplyPanel f32_products(InstructionSet set);
/// bf16 weights widened, f32 activations; any instruction set gives the same bits.
MultiplyPanel widened_products(InstructionSet set);
/// bf16 weights and activations, an odd last activation paired with zero. Only for kAvx512Bf16.
MultiplyPanel bf16_products();

/// Rows that one pass over a panel serves: weights of fewer rows are read once.
inline constexpr std::size_t kRowsAtOnce = 12;

}  // namespace dspark
