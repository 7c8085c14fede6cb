#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dspark {

/// The last token that stays when the largest stay. Tokens are ordered by key, falling, and then by id,
/// rising.
struct Cut {
  std::uint32_t key = 0;
  std::size_t id = SIZE_MAX;

  bool keeps(std::uint32_t token_key, std::size_t token) const {
    return token_key > key || (token_key == key && token <= id);
  }
};

/// Whole numbers in the order of the values; the two zeros are equal.
void order_keys(std::span<const float> values, std::vector<std::uint32_t>& keys);

/// The `count` first, count > 0.
Cut cut_by_count(std::span<const std::uint32_t> keys, std::size_t count);
/// Those that are preceded by less than `limit` of weight, limit > 0. weights: by token.
Cut cut_by_weight(std::span<const std::uint32_t> keys, std::span<const float> weights, double limit);

}  // namespace dspark
