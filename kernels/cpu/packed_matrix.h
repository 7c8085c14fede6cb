#pragma once

#include <cstdint>
#include <span>

#include "kernels/cpu/memory.h"
#include "kernels/cpu/workers.h"
#include "kernels/kernels.h"

namespace dspark {

/// Weights in panels of 32 outputs. f32: a panel is (inputs, 32). bf16: (pairs of inputs, 32, 2), an odd last
/// input paired with zero. Outputs past the last are zero. One thread streams a panel from its first byte to
/// its last, and each lane of a register sums one output.
class PackedMatrix final : public Matrix {
 public:
  static constexpr std::size_t kPanel = 32;

  /// Null where memory runs out. type: kF32 or kBf16, what it is packed as.
  static std::unique_ptr<PackedMatrix> pack(ElementType type, ElementType source_type,
                                            std::span<const std::byte> source, std::size_t outputs,
                                            std::size_t inputs, Workers& workers);

  std::size_t outputs() const override { return outputs_; }
  std::size_t inputs() const override { return inputs_; }
  std::size_t bytes() const override { return panels() * panel_bytes(); }

  ElementType type() const { return type_; }
  std::size_t panels() const { return (outputs_ + kPanel - 1) / kPanel; }
  /// Rows of a panel: inputs, or pairs of them.
  std::size_t steps() const { return type_ == ElementType::kF32 ? inputs_ : (inputs_ + 1) / 2; }
  std::size_t panel_bytes() const { return steps() * kPanel * 4; }
  const std::byte* panel(std::size_t index) const { return memory_.get() + index * panel_bytes(); }

  /// The weights of one output, times `scale`. to: (inputs).
  void read_output(std::size_t output, float scale, float* to) const;

 private:
  PackedMatrix(ElementType type, std::size_t outputs, std::size_t inputs)
      : type_(type), outputs_(outputs), inputs_(inputs) {}

  ElementType type_;
  std::size_t outputs_, inputs_;
  Memory memory_;
};

}  // namespace dspark
