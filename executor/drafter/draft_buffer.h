#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>

#include "kernels/kernels.h"

namespace dspark {

/// Numbers of a drafter's step, in the backend's memory.
class DraftBuffer {
 public:
  DraftBuffer() = default;
  /// Holds `numbers` of them; `allocated` is false where memory runs out.
  DraftBuffer(Kernels& kernels, std::size_t numbers)
      : buffer_(kernels.allocate(std::max<std::size_t>(numbers, 1) * sizeof(float))) {}

  bool allocated() const { return buffer_ != nullptr; }
  std::size_t numbers() const { return buffer_ == nullptr ? 0 : buffer_->bytes() / sizeof(float); }
  View<float, 2> matrix(std::size_t rows, std::size_t width) const {
    return {reinterpret_cast<float*>(buffer_->data()), {rows, width}};
  }

 private:
  std::unique_ptr<Buffer> buffer_;
};

}  // namespace dspark
