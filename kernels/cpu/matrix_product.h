#pragma once

#include <vector>

#include "kernels/cpu/packed_matrix.h"
#include "kernels/cpu/panel_product.h"
#include "kernels/view.h"

namespace dspark {

/// Products of activations with packed weights on all threads (Kernels::multiply).
class MatrixProduct {
 public:
  MatrixProduct(InstructionSet set, Workers& workers) : set_(set), workers_(workers) {}

  void multiply(View<const float, 2> x, const PackedMatrix& w, View<const float, 1> bias, bool add,
                View<float, 2> out);

 private:
  const std::byte* rounded(View<const float, 2> x, std::size_t row_bytes);

  InstructionSet set_;
  Workers& workers_;
  std::vector<std::uint16_t> bf16_;  // activations of a product that multiplies bf16
};

}  // namespace dspark
