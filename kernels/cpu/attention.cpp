#include "kernels/cpu/attention.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "kernels/contract.h"
#include "kernels/cpu/unroll.h"

#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/attention.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/lane_math.inc"

#if HWY_TARGET == HWY_AVX2
HWY_BEFORE_NAMESPACE();
namespace dspark {
namespace HWY_NAMESPACE {

constexpr std::size_t kChunk = 64;                // positions
constexpr std::size_t kStrips = kChunk / kLanes;  // of eight positions: no block of the cache is smaller

/// A range of positions; empty where end <= first.
struct Positions {
  std::int32_t first = 0, end = 0;
  bool operator==(const Positions&) const = default;
};

/// The running softmax of some queries, in scratch.
struct State {
  float* scores;   // (queries, kChunk), then their exponentials
  float* sums;     // (queries, kLanes)
  float* largest;  // (queries)
  float* values;   // (queries, head_dim)
};

/// The keys and values of a chunk: strip s holds positions 8s .. 8s + 7 of it.
template <class T>
struct Chunk {
  const T* keys[kStrips];    // element (d, position) at d · block_tokens + position
  const T* values[kStrips];  // (8, head_dim)
};

HWY_INLINE Lanes widen(const float* from) { return hn::LoadU(F32(), from); }
HWY_INLINE Lanes widen(const std::uint16_t* from) {
  const hn::FixedTag<std::uint32_t, 8> u;
  const hn::FixedTag<std::uint16_t, 8> half;
  return hn::BitCast(F32(), hn::ShiftLeft<16>(hn::PromoteTo(u, hn::LoadU(half, from))));
}
HWY_INLINE float widen_one(const float* from) { return *from; }
HWY_INLINE float widen_one(const std::uint16_t* from) {
  const std::uint32_t bits = std::uint32_t{*from} << 16;
  float x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

template <class T>
Chunk<T> find_chunk(const AttentionTile& t, std::int32_t start, Positions seen) {
  const KvLayer& c = t.cache;
  Chunk<T> chunk;
  for (std::size_t s = 0; s < kStrips; ++s) {
    // Strips that no row sees stand for one that is there: their scores are never read.
    const std::int32_t position =
        std::clamp(start + static_cast<std::int32_t>(s * kLanes), seen.first & ~7, (seen.end - 1) & ~7);
    const auto at = static_cast<std::size_t>(position);
    const std::size_t in_block = at % c.block_tokens;
    const auto block = static_cast<std::size_t>(t.blocks[at / c.block_tokens]);
    const std::size_t plane = (block * c.kv_heads + t.kv_head) * c.block_tokens * c.head_dim;
    chunk.keys[s] = reinterpret_cast<const T*>(c.keys) + plane + in_block;
    chunk.values[s] = reinterpret_cast<const T*>(c.values) + plane + in_block * c.head_dim;
  }
  return chunk;
}

/// Products of kQueries queries with the keys of kWide strips, summed over rising d. Asks for the strips of
/// the next chunk as it goes: blocks lie apart, and the processor would find each only by missing it.
template <std::size_t kQueries, std::size_t kWide, class T>
HWY_INLINE void score_strips(const float* const* queries, const T* const* keys, const T* const* next,
                             std::size_t head_dim, std::size_t block_tokens, float* scores) {
  const F32 d;
  Lanes sums[kQueries][kWide];
  DSPARK_UNROLL
  for (std::size_t q = 0; q < kQueries; ++q) {
    DSPARK_UNROLL
    for (std::size_t s = 0; s < kWide; ++s) sums[q][s] = hn::Zero(d);
  }
  for (std::size_t i = 0; i < head_dim; ++i) {
    Lanes key[kWide];
    DSPARK_UNROLL
    for (std::size_t s = 0; s < kWide; ++s) key[s] = widen(keys[s] + i * block_tokens);
    DSPARK_UNROLL
    for (std::size_t s = 0; s < kWide; s += 2) __builtin_prefetch(next[s] + i * block_tokens);
    DSPARK_UNROLL
    for (std::size_t q = 0; q < kQueries; ++q) {
      const Lanes x = hn::Set(d, queries[q][i]);
      DSPARK_UNROLL
      for (std::size_t s = 0; s < kWide; ++s) sums[q][s] = hn::MulAdd(key[s], x, sums[q][s]);
    }
  }
  DSPARK_UNROLL
  for (std::size_t q = 0; q < kQueries; ++q) {
    DSPARK_UNROLL
    for (std::size_t s = 0; s < kWide; ++s) hn::StoreU(sums[q][s], d, scores + q * kChunk + s * kLanes);
  }
}

template <std::size_t kQueries, class T>
void score(const float* const* queries, const Chunk<T>& chunk, const Chunk<T>& next, const KvLayer& cache,
           float* scores) {
  constexpr std::size_t kWide = kQueries <= 3 ? 4 : 2;  // twelve sums at most
  for (std::size_t s = 0; s < kStrips; s += kWide) {
    score_strips<kQueries, kWide>(queries, chunk.keys + s, next.keys + s, cache.head_dim, cache.block_tokens,
                                  scores + s * kLanes);
  }
}

/// Adds the values of a chunk's positions to kQueries sums, kWide registers across.
template <std::size_t kQueries, std::size_t kWide, class T>
HWY_INLINE void add_values_across(const Chunk<T>& chunk, const Chunk<T>& next, std::size_t head_dim,
                                  std::size_t column, std::size_t first, std::size_t end,
                                  const float* weights, float* values) {
  const F32 d;
  Lanes sums[kQueries][kWide];
  DSPARK_UNROLL
  for (std::size_t q = 0; q < kQueries; ++q) {
    DSPARK_UNROLL
    for (std::size_t v = 0; v < kWide; ++v) {
      sums[q][v] = hn::LoadU(d, values + q * head_dim + column + v * kLanes);
    }
  }
  for (std::size_t p = first; p < end; ++p) {
    const T* value = chunk.values[p / kLanes] + p % kLanes * head_dim + column;
    __builtin_prefetch(next.values[p / kLanes] + p % kLanes * head_dim + column);
    Lanes x[kWide];
    DSPARK_UNROLL
    for (std::size_t v = 0; v < kWide; ++v) x[v] = widen(value + v * kLanes);
    DSPARK_UNROLL
    for (std::size_t q = 0; q < kQueries; ++q) {
      const Lanes weight = hn::Set(d, weights[q * kChunk + p]);
      DSPARK_UNROLL
      for (std::size_t v = 0; v < kWide; ++v) sums[q][v] = hn::MulAdd(weight, x[v], sums[q][v]);
    }
  }
  DSPARK_UNROLL
  for (std::size_t q = 0; q < kQueries; ++q) {
    DSPARK_UNROLL
    for (std::size_t v = 0; v < kWide; ++v) {
      hn::StoreU(sums[q][v], d, values + q * head_dim + column + v * kLanes);
    }
  }
}

template <std::size_t kQueries, class T>
void add_values(const Chunk<T>& chunk, const Chunk<T>& next, std::size_t head_dim, std::size_t first,
                std::size_t end, const float* weights, float* values) {
  constexpr std::size_t kWide = kQueries <= 3 ? 4 : 2;
  std::size_t column = 0;
  for (; column + kWide * kLanes <= head_dim; column += kWide * kLanes) {
    add_values_across<kQueries, kWide>(chunk, next, head_dim, column, first, end, weights, values);
  }
  for (; column + kLanes <= head_dim; column += kLanes) {
    add_values_across<kQueries, 1>(chunk, next, head_dim, column, first, end, weights, values);
  }
  for (; column < head_dim; ++column) {
    DSPARK_UNROLL
    for (std::size_t q = 0; q < kQueries; ++q) {
      float sum = values[q * head_dim + column];
      for (std::size_t p = first; p < end; ++p) {
        const float x = widen_one(chunk.values[p / kLanes] + p % kLanes * head_dim + column);
        sum = __builtin_fmaf(weights[q * kChunk + p], x, sum);
      }
      values[q * head_dim + column] = sum;
    }
  }
}

/// Scores of one query to exponentials, those not in first .. end - 1 to zero; what was summed before is
/// scaled to the largest score so far.
void soften(const AttentionRule& rule, std::size_t head_dim, std::size_t first, std::size_t end,
            float* scores, float* sums, float* largest, float* values) {
  const F32 d;
  const I32 i;
  Lanes most = hn::Set(d, *largest);
  for (std::size_t s = 0; s < kStrips; ++s) {
    Lanes x = hn::Mul(hn::Load(d, scores + s * kLanes), hn::Set(d, rule.scale));
    if (rule.soft_cap > 0) {
      const Lanes cap = hn::Set(d, rule.soft_cap);
      x = hn::Mul(cap, tanh_of(hn::Div(x, cap)));
    }
    const auto position = hn::Iota(i, static_cast<std::int32_t>(s * kLanes));
    const auto seen = hn::AndNot(hn::Lt(position, hn::Set(i, static_cast<std::int32_t>(first))),
                                 hn::Lt(position, hn::Set(i, static_cast<std::int32_t>(end))));
    x = hn::IfThenElse(hn::RebindMask(d, seen), x, hn::Set(d, -std::numeric_limits<float>::infinity()));
    most = hn::Max(most, x);
    hn::Store(x, d, scores + s * kLanes);
  }
  const float now = largest_of(most);
  Lanes sum = hn::Load(d, sums);
  if (now > *largest) {
    const Lanes shrink = exp_of(hn::Set(d, *largest - now));
    sum = hn::Mul(sum, shrink);
    for (std::size_t column = 0; column < head_dim; column += kLanes) {
      store(hn::Mul(load(values + column, head_dim - column), shrink), values + column, head_dim - column);
    }
    *largest = now;
  }
  for (std::size_t s = 0; s < kStrips; ++s) {
    const Lanes e = exp_of(hn::Sub(hn::Load(d, scores + s * kLanes), hn::Set(d, now)));
    hn::Store(e, d, scores + s * kLanes);
    sum = hn::Add(sum, e);
  }
  hn::Store(sum, d, sums);
}

/// A chunk for up to six queries that see the same positions of it.
template <std::size_t kQueries, class T>
void take_queries(const float* const* queries, const Chunk<T>& chunk, const Chunk<T>& next,
                  const KvLayer& cache, const AttentionRule& rule, std::size_t first, std::size_t end,
                  const State& state) {
  score<kQueries>(queries, chunk, next, cache, state.scores);
  DSPARK_UNROLL
  for (std::size_t q = 0; q < kQueries; ++q) {
    soften(rule, cache.head_dim, first, end, state.scores + q * kChunk, state.sums + q * kLanes,
           state.largest + q, state.values + q * cache.head_dim);
  }
  add_values<kQueries>(chunk, next, cache.head_dim, first, end, state.scores, state.values);
}

template <class T>
void take_chunk(const float* const* queries, std::size_t count, const Chunk<T>& chunk, const Chunk<T>& next,
                const KvLayer& cache, const AttentionRule& rule, std::size_t first, std::size_t end,
                State state) {
  constexpr std::size_t kMost = 6;
  const std::size_t parts = (count + kMost - 1) / kMost;
  for (std::size_t part = 0, from = 0; part < parts; ++part) {
    const std::size_t to = (part + 1) * count / parts;
    const auto take = [&]<std::size_t kQueries>() {
      take_queries<kQueries>(queries + from, chunk, next, cache, rule, first, end, state);
    };
    switch (to - from) {
      case 1:
        take.template operator()<1>();
        break;
      case 2:
        take.template operator()<2>();
        break;
      case 3:
        take.template operator()<3>();
        break;
      case 4:
        take.template operator()<4>();
        break;
      case 5:
        take.template operator()<5>();
        break;
      default:
        take.template operator()<6>();
        break;
    }
    state.scores += (to - from) * kChunk;
    state.sums += (to - from) * kLanes;
    state.largest += to - from;
    state.values += (to - from) * cache.head_dim;
    from = to;
  }
}

Positions visible(const AttentionTile& t, const AttentionRule& rule, std::size_t row) {
  const std::int32_t own = t.first_position + static_cast<std::int32_t>(row);
  const std::int32_t window_end = rule.window_before_rows ? t.first_of_request : own + 1;
  return {rule.window > 0 ? std::max(0, window_end - rule.window) : 0,
          (rule.causal ? own : t.last_of_request) + 1};
}

Positions in_chunk(Positions seen, std::int32_t start) {
  return {std::max(seen.first, start), std::min(seen.end, start + static_cast<std::int32_t>(kChunk))};
}

template <class T>
void attend_rows(const AttentionTile& t, const AttentionRule& rule, const State& state) {
  const float* queries[kMostQueries];
  const std::size_t count = t.rows * t.group, head_dim = t.cache.head_dim;
  for (std::size_t q = 0; q < count; ++q) {
    queries[q] = t.queries + q / t.group * t.row_stride + q % t.group * head_dim;
    state.largest[q] = -std::numeric_limits<float>::infinity();
  }
  std::fill_n(state.sums, count * kLanes, 0.0f);
  std::fill_n(state.values, count * head_dim, 0.0f);
  const Positions seen{visible(t, rule, 0).first, visible(t, rule, t.rows - 1).end};
  const auto step = static_cast<std::int32_t>(kChunk);
  for (std::int32_t start = seen.first / step * step; start < seen.end; start += step) {
    const Chunk<T> chunk = find_chunk<T>(t, start, seen), next = find_chunk<T>(t, start + step, seen);
    const auto take = [&](std::size_t row, std::size_t rows, Positions part) {
      const std::size_t q = row * t.group;
      take_chunk(queries + q, rows * t.group, chunk, next, t.cache, rule,
                 static_cast<std::size_t>(part.first - start), static_cast<std::size_t>(part.end - start),
                 {state.scores + q * kChunk, state.sums + q * kLanes, state.largest + q,
                  state.values + q * head_dim});
    };
    const Positions of_first = in_chunk(visible(t, rule, 0), start);
    if (of_first == in_chunk(visible(t, rule, t.rows - 1), start)) {
      if (of_first.first < of_first.end) take(0, t.rows, of_first);
      continue;
    }
    for (std::size_t row = 0; row < t.rows; ++row) {
      const Positions part = in_chunk(visible(t, rule, row), start);
      if (part.first < part.end) take(row, 1, part);
    }
  }
  for (std::size_t q = 0; q < count; ++q) {
    const Lanes total = hn::Set(F32(), sum_of(hn::Load(F32(), state.sums + q * kLanes)));
    float* out = t.out + q / t.group * t.row_stride + q % t.group * head_dim;
    for (std::size_t i = 0; i < head_dim; i += kLanes) {
      store(hn::Div(load(state.values + q * head_dim + i, head_dim - i), total), out + i, head_dim - i);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace dspark
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
static_assert((HWY_TARGETS & (HWY_AVX2)) == (HWY_AVX2), "compile for every x86-64, not -march=native");

namespace dspark {

std::size_t attention_scratch(std::size_t queries, std::size_t head_dim) {
  return queries * (N_AVX2::kChunk + N_AVX2::kLanes + 1 + head_dim);
}

void attend_tile(const AttentionTile& tile, ElementType cache_type, const AttentionRule& rule,
                 float* scratch) {
  const std::size_t queries = tile.rows * tile.group;
  DSPARK_CONTRACT(queries <= kMostQueries);
  N_AVX2::State state;
  state.scores = scratch;
  state.sums = state.scores + queries * N_AVX2::kChunk;
  state.values = state.sums + queries * N_AVX2::kLanes;
  state.largest = state.values + queries * tile.cache.head_dim;
  if (cache_type == ElementType::kF32) {
    N_AVX2::attend_rows<float>(tile, rule, state);
  } else {
    N_AVX2::attend_rows<std::uint16_t>(tile, rule, state);
  }
}

}  // namespace dspark
#endif
