#include "kernels/cpu/matrix_product.h"

#include <algorithm>

#include "kernels/contract.h"
#include "kernels/cpu/number_formats.h"

namespace dspark {
namespace {

constexpr std::size_t kPanel = PackedMatrix::kPanel;
// Where a panel is passed more than once, this much of it stays in the second cache: 2048 steps of 128 bytes.
constexpr std::size_t kStretchSteps = 2048;
// Rows whose activations stay there beside it, and whose sums fit the first cache.
constexpr std::size_t kRows = 96;

/// What becomes of a panel's sums.
struct Ending {
  View<const float, 1> bias;
  bool add;
  View<float, 2> out;

  void write(const float* sums, std::size_t first_row, std::size_t rows, std::size_t panel) const {
    const std::size_t first = panel * kPanel, count = std::min(kPanel, out.shape[1] - first);
    const float* offset = bias.empty() ? nullptr : bias.data + first;
    for (std::size_t r = 0; r < rows; ++r, sums += kPanel) {
      float* to = out.row(first_row + r) + first;
      for (std::size_t c = 0; c < count; ++c) {
        const float sum = offset == nullptr ? sums[c] : sums[c] + offset[c];
        to[c] = add ? to[c] + sum : sum;
      }
    }
  }
};

}  // namespace

const std::byte* MatrixProduct::rounded(View<const float, 2> x, std::size_t row_bytes) {
  const std::size_t inputs = x.shape[1], stride = row_bytes / sizeof(std::uint16_t);
  bf16_.resize(x.shape[0] * stride);
  workers_.split(x.shape[0], 1 + 65536 / inputs, [&](std::size_t first, std::size_t end, std::size_t) {
    for (std::size_t r = first; r < end; ++r) {
      std::uint16_t* to = bf16_.data() + r * stride;
      for (std::size_t k = 0; k < inputs; ++k) to[k] = bf16_from_float(x.row(r)[k]);
      if (inputs < stride) to[inputs] = 0;
    }
  });
  return reinterpret_cast<const std::byte*>(bf16_.data());
}

void MatrixProduct::multiply(View<const float, 2> x, const PackedMatrix& w, View<const float, 1> bias,
                             bool add, View<float, 2> out) {
  DSPARK_CONTRACT(x.shape[1] == w.inputs() && out.shape[1] == w.outputs() && out.shape[0] == x.shape[0]);
  DSPARK_CONTRACT(bias.empty() || bias.shape[0] == w.outputs());
  const bool f32 = w.type() == ElementType::kF32;
  const bool bf16 = !f32 && set_ == InstructionSet::kAvx512Bf16;
  const MultiplyPanel product = f32 ? f32_products(set_) : bf16 ? bf16_products() : widened_products(set_);
  const std::size_t input_bytes = bf16 ? sizeof(std::uint16_t) : sizeof(float);
  const std::size_t row_bytes = bf16 ? w.steps() * 4 : w.inputs() * sizeof(float);
  const std::byte* activations = bf16 ? rounded(x, row_bytes) : reinterpret_cast<const std::byte*>(x.data);
  const std::size_t inputs_of_step = f32 ? 1 : 2, rows = x.shape[0];
  const std::size_t stretch = rows <= kRowsAtOnce ? w.inputs() : kStretchSteps * inputs_of_step;
  const Ending ending{bias, add, out};
  // A product so small that one thread is done before another wakes stays with the caller.
  const std::size_t worth = 1 + 32768 / w.panel_bytes();
  workers_.split(w.panels(), worth, [&](std::size_t first_panel, std::size_t end_panel, std::size_t) {
    alignas(64) float sums[kRows * kPanel];
    for (std::size_t row = 0; row < rows; row += kRows) {
      const std::size_t count = std::min(kRows, rows - row);
      for (std::size_t panel = first_panel; panel < end_panel; ++panel) {
        for (std::size_t k = 0; k < w.inputs(); k += stretch) {
          product({.x = activations + row * row_bytes + k * input_bytes,
                   .x_row_bytes = row_bytes,
                   .rows = count,
                   .panel = w.panel(panel) + k / inputs_of_step * 4 * kPanel,
                   .inputs = std::min(stretch, w.inputs() - k),
                   .sums = sums,
                   .goes_on = k > 0});
        }
        ending.write(sums, row, count, panel);
      }
    }
  });
}

}  // namespace dspark
