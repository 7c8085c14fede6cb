#include "sim/acceptance/latent_columns.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "policies/elementary.h"
#include "policies/invariant.h"

namespace dspark {
namespace {

// Philox 4x32-10 (Salmon et al. 2011): multipliers, and what is added to the key after each round.
constexpr int kPhiloxRounds = 10;
constexpr std::uint64_t kPhiloxFirst = 0xD2511F53, kPhiloxSecond = 0xCD9E8D57;
constexpr std::uint32_t kPhiloxKeyStepLow = 0x9E3779B9, kPhiloxKeyStepHigh = 0xBB67AE85;

void draw_words_one_by_one(RandomKey key, Stream stream, std::uint32_t group, const DrawColumns& columns,
                           std::uint32_t* words) {
  for (std::size_t r = 0; r < columns.rows; ++r) {
    const std::uint32_t third = columns.position_and_attempt[r];
    const RandomWords drawn = dspark::draw_words(key, stream, columns.source[r], columns.ordinal[r],
                                                 third & 0xffffff, third >> 24, group);
    for (std::size_t word = 0; word < drawn.size(); ++word) words[word * columns.rows + r] = drawn[word];
  }
}

/// The cells of normal_grid(): value in the lower half, step to the next in the upper one.
const std::uint64_t* normal_pairs() {
  static const auto pairs = [] {
    std::array<std::uint64_t, 4096> cells;
    const float* grid = normal_grid();
    for (std::size_t i = 0; i < cells.size(); ++i) {
      cells[i] = std::uint64_t{std::bit_cast<std::uint32_t>(grid[i + 1] - grid[i])} << 32 |
                 std::bit_cast<std::uint32_t>(grid[i]);
    }
    return cells;
  }();
  return pairs.data();
}

namespace baseline {
#define DSPARK_REGISTER_BYTES 16
#define DSPARK_MULTIPLY(x, y) (Lanes) _mm_mul_epu32((__m128i)(x), (__m128i)(y))
#include "sim/acceptance/latent_columns.inc"
#undef DSPARK_REGISTER_BYTES
#undef DSPARK_MULTIPLY
}  // namespace baseline

#ifdef DSPARK_SIMD_DISPATCH

// No "fma" in the targets: nothing can contract a product and a sum.
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif
namespace avx2 {
#define DSPARK_REGISTER_BYTES 32
#define DSPARK_MULTIPLY(x, y) (Lanes) _mm256_mul_epu32((__m256i)(x), (__m256i)(y))
#include "sim/acceptance/latent_columns.inc"
#undef DSPARK_REGISTER_BYTES
#undef DSPARK_MULTIPLY
}  // namespace avx2
#ifdef __clang__
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx2,avx512f,avx512bw,avx512dq,avx512vl"))), \
                             apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx2,avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")
#endif
namespace avx512 {
#define DSPARK_REGISTER_BYTES 64
// All lanes by mask: GCC 12 warns of the plain form, whose header reads an undefined register (GCC bug
// 105593).
#define DSPARK_MULTIPLY(x, y) (Lanes) _mm512_maskz_mul_epu32(0xff, (__m512i)(x), (__m512i)(y))
#include "sim/acceptance/latent_columns.inc"
#undef DSPARK_REGISTER_BYTES
#undef DSPARK_MULTIPLY
}  // namespace avx512
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif

}  // namespace

const LatentColumns& latent_columns(SimdTarget target) {
#ifdef DSPARK_SIMD_DISPATCH
  if (target == SimdTarget::kAvx512) return avx512::kColumns;
  if (target == SimdTarget::kAvx2) return avx2::kColumns;
#endif
  DSPARK_INVARIANT(target == SimdTarget::kBaseline);
  return baseline::kColumns;
}

}  // namespace dspark
