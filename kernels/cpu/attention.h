#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kernels.h"

namespace dspark {

/// Consecutive rows of one request on one kv head: what reads the same keys and values.
struct AttentionTile {
  const float* queries =
      nullptr;                 // (rows, heads, head_dim) from the first row and the first head of the group
  float* out = nullptr;        // likewise
  std::size_t row_stride = 0;  // numbers from one row to the next
  std::size_t rows = 0;
  std::size_t group = 0;  // query heads
  std::int32_t first_position = 0;
  std::int32_t first_of_request = 0;  // position of the request's first row
  std::int32_t last_of_request = 0;   // position of the request's last row
  const std::int32_t* blocks = nullptr;
  std::size_t kv_head = 0;
  KvLayer cache;
};

/// Queries (rows × heads of a group) that share a reading of keys and values, and the most there may be: the
/// heads of one row are not split.
inline constexpr std::size_t kQueriesOfTile = 24, kMostQueries = 128;

/// Numbers of scratch that a tile of so many queries needs.
std::size_t attention_scratch(std::size_t queries, std::size_t head_dim);

/// Softmax in one pass over chunks of 64 text positions, counted from position 0 (Milakov and Gimelshein
/// 2018). What a row computes depends on its own visible positions alone: a chunk in which the rows see
/// different positions is done row by row. scratch: attention_scratch numbers, aligned to a cache line.
void attend_tile(const AttentionTile& tile, ElementType cache_type, const AttentionRule& rule,
                 float* scratch);

}  // namespace dspark
