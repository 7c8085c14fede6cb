#pragma once

#include <array>
#include <cstddef>

namespace dspark {

/// Shapley value of each of N players, given the worth of every coalition (bit i: player i is in it): the
/// mean over all orders of what the player adds. Sums to worth[all] - worth[none].
template <std::size_t N>
std::array<double, N> shapley_values(const std::array<double, std::size_t{1} << N>& worth) {
  // weight[k] = k! (N - 1 - k)! / N!, the share of orders in which k given players come before and the others
  // after.
  std::array<double, N> weight{};
  for (std::size_t k = 0; k < N; ++k) {
    double w = 1.0 / N;
    for (std::size_t i = 1; i <= k; ++i) w *= static_cast<double>(i) / static_cast<double>(N - i);
    weight[k] = w;
  }
  std::array<double, N> values{};
  for (std::size_t coalition = 0; coalition < worth.size(); ++coalition) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < N; ++i) size += coalition >> i & 1;
    for (std::size_t player = 0; player < N; ++player) {
      if (coalition >> player & 1) continue;
      values[player] += weight[size] * (worth[coalition | std::size_t{1} << player] - worth[coalition]);
    }
  }
  return values;
}

}  // namespace dspark
