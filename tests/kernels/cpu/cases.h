#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "kernels/cpu/cpu_kernels.h"

namespace dspark::cases {

/// The kernels of these options; the set must be there (instruction_sets).
inline std::unique_ptr<Kernels> kernels(ElementType type, InstructionSet set, int threads) {
  CpuOptions options;
  options.weight_type = type;
  options.instruction_set = set;
  options.threads = threads;
  return make_cpu_kernels(options).kernels;
}
inline std::unique_ptr<Kernels> kernels(ElementType type = ElementType::kF32, int threads = 1) {
  return kernels(type, instruction_sets().back(), threads);
}

/// Numbers in -1 .. 1, the same for a seed everywhere.
inline std::vector<float> numbers(std::size_t count, std::uint32_t seed) {
  std::uint64_t state = (std::uint64_t{seed} + 1) * 0x9E3779B97F4A7C15;
  std::vector<float> x(count);
  for (float& value : x) {  // xorshift64* (Vigna 2016)
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    value = static_cast<float>(static_cast<double>((state * 0x2545F4914F6CDD1D) >> 32) * 0x1p-31 - 1.0);
  }
  return x;
}

template <class T>
std::span<const std::byte> bytes_of(const std::vector<T>& x) {
  return std::as_bytes(std::span(x));
}

template <std::size_t kRank>
View<float, kRank> view(std::vector<float>& x, std::array<std::size_t, kRank> shape) {
  return {x.data(), shape};
}
template <std::size_t kRank>
View<const float, kRank> view(const std::vector<float>& x, std::array<std::size_t, kRank> shape) {
  return {x.data(), shape};
}

inline bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

}  // namespace dspark::cases
