#include "kernels/cpu/packed_matrix.h"

#include <algorithm>
#include <cstring>

#include "kernels/contract.h"
#include "kernels/cpu/number_formats.h"

namespace dspark {
namespace {

constexpr std::size_t kPanel = PackedMatrix::kPanel;
// Inputs that are turned at a time: 32 × 64 numbers stay in the first cache.
constexpr std::size_t kStretch = 64;

std::size_t bytes_of(ElementType type) { return type == ElementType::kF32 ? 4 : 2; }

/// count numbers of `type`, aligned to nothing.
void widen(ElementType type, const std::byte* from, std::size_t count, float* to) {
  if (type == ElementType::kF32) {
    std::memcpy(to, from, count * sizeof(float));
    return;
  }
  std::uint16_t words[kStretch];
  std::memcpy(words, from, count * sizeof(std::uint16_t));
  if (type == ElementType::kBf16) {
    for (std::size_t i = 0; i < count; ++i) to[i] = float_from_bf16(words[i]);
  } else {
    for (std::size_t i = 0; i < count; ++i) to[i] = float_from_f16(words[i]);
  }
}

/// A stretch of a panel from (32, kStretch) rows of outputs.
void turn(const float (&rows)[kPanel][kStretch], ElementType type, std::size_t first, std::size_t count,
          std::byte* panel) {
  if (type == ElementType::kF32) {
    float* to = reinterpret_cast<float*>(panel) + first * kPanel;
    for (std::size_t k = 0; k < count; ++k) {
      for (std::size_t c = 0; c < kPanel; ++c) to[k * kPanel + c] = rows[c][k];
    }
    return;
  }
  std::uint16_t* to = reinterpret_cast<std::uint16_t*>(panel) + first * kPanel;
  for (std::size_t k = 0; k < count; k += 2) {
    for (std::size_t c = 0; c < kPanel; ++c) {
      to[k * kPanel + 2 * c] = bf16_from_float(rows[c][k]);
      to[k * kPanel + 2 * c + 1] = k + 1 < count ? bf16_from_float(rows[c][k + 1]) : std::uint16_t{0};
    }
  }
}

}  // namespace

std::unique_ptr<PackedMatrix> PackedMatrix::pack(ElementType type, ElementType source_type,
                                                 std::span<const std::byte> source, std::size_t outputs,
                                                 std::size_t inputs, Workers& workers) {
  DSPARK_CONTRACT(outputs > 0 && inputs > 0);
  DSPARK_CONTRACT(source.size() / bytes_of(source_type) / outputs == inputs &&
                  source.size() == outputs * inputs * bytes_of(source_type));
  std::unique_ptr<PackedMatrix> matrix(new PackedMatrix(type, outputs, inputs));
  matrix->memory_ = allocate_memory(matrix->bytes());
  if (matrix->memory_ == nullptr) return nullptr;
  const std::size_t row_bytes = inputs * bytes_of(source_type);
  workers.split(matrix->panels(), 1, [&](std::size_t first_panel, std::size_t end_panel, std::size_t) {
    float rows[kPanel][kStretch];
    for (std::size_t p = first_panel; p < end_panel; ++p) {
      std::byte* panel = matrix->memory_.get() + p * matrix->panel_bytes();
      for (std::size_t first = 0; first < inputs; first += kStretch) {
        const std::size_t count = std::min(kStretch, inputs - first);
        for (std::size_t c = 0; c < kPanel; ++c) {
          const std::size_t output = p * kPanel + c;
          if (output < outputs) {
            widen(source_type, source.data() + output * row_bytes + first * bytes_of(source_type), count,
                  rows[c]);
          } else {
            std::fill_n(rows[c], kStretch, 0.0f);
          }
        }
        turn(rows, type, first, count, panel);
      }
    }
  });
  return matrix;
}

void PackedMatrix::read_output(std::size_t output, float scale, float* to) const {
  const std::byte* from = panel(output / kPanel);
  const std::size_t column = output % kPanel;
  if (type_ == ElementType::kF32) {
    const float* weights = reinterpret_cast<const float*>(from) + column;
    for (std::size_t k = 0; k < inputs_; ++k) to[k] = scale * weights[k * kPanel];
    return;
  }
  const std::uint16_t* weights = reinterpret_cast<const std::uint16_t*>(from) + 2 * column;
  for (std::size_t k = 0; k < inputs_; ++k) {
    to[k] = scale * float_from_bf16(weights[k / 2 * 2 * kPanel + k % 2]);
  }
}

}  // namespace dspark
