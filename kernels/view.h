#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

namespace dspark {

/// Contiguous row-major numbers with their shape, outermost first. Owns nothing. Whose memory it is, the
/// device's or the host's, is said where it is used.
template <class T, std::size_t Rank>
struct View {
  T* data = nullptr;
  std::array<std::size_t, Rank> shape = {};

  View() = default;
  View(T* numbers, std::array<std::size_t, Rank> sizes) : data(numbers), shape(sizes) {}
  /// What may be written may be read.
  operator View<const T, Rank>() const requires(!std::is_const_v<T>) { return {data, shape}; }

  bool empty() const { return size() == 0; }
  std::size_t size() const {
    std::size_t product = 1;
    for (const std::size_t n : shape) product *= n;
    return product;
  }
  /// Numbers from one outermost index to the next.
  std::size_t stride() const { return shape[0] == 0 ? 0 : size() / shape[0]; }
  /// The outermost indices first .. first + count - 1.
  View rows(std::size_t first, std::size_t count) const {
    View part = *this;
    part.data += first * stride();
    part.shape[0] = count;
    return part;
  }
  T* row(std::size_t index) const { return data + index * stride(); }
};

}  // namespace dspark
