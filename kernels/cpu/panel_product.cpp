#include "kernels/cpu/panel_product.h"

#include <array>
#include <cstdint>
#include <utility>

#include "kernels/cpu/unroll.h"

// Only the two sets below; the rest of the file is compiled for every x86-64.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/panel_product.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
HWY_BEFORE_NAMESPACE();
namespace dspark {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::ScalableTag<float>;
using U32 = hn::ScalableTag<std::uint32_t>;
using Vector = hn::Vec<F32>;

constexpr std::size_t kPanel = 32;
constexpr std::size_t kLanes = HWY_TARGET == HWY_AVX2 ? 8 : 16;
// Sums held in registers at once: 12 of AVX2's 16, 24 of AVX-512's 32.
constexpr std::size_t kSums = HWY_TARGET == HWY_AVX2 ? 12 : 24;
// Bytes ahead of the stream of weights that are asked for: what arrives while 2 KiB more are multiplied.
constexpr std::size_t kAhead = 4096;

template <std::size_t kRows>
struct Tile {
  // Registers across the panel that one pass sums.
  static constexpr std::size_t kVectors = kRows * (kPanel / kLanes) <= kSums ? kPanel / kLanes
                                          : kSums / kRows >= 2               ? 2
                                                                             : 1;
  static constexpr std::size_t kColumns = kVectors * kLanes;
};

template <std::size_t kRows>
HWY_INLINE void load_sums(const PanelProduct& p, std::size_t column,
                          Vector (&sums)[kRows][Tile<kRows>::kVectors]) {
  const F32 d;
  DSPARK_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) {
    DSPARK_UNROLL
    for (std::size_t v = 0; v < Tile<kRows>::kVectors; ++v) {
      sums[r][v] = p.goes_on ? hn::LoadU(d, p.sums + r * kPanel + column + v * kLanes) : hn::Zero(d);
    }
  }
}

template <std::size_t kRows>
HWY_INLINE void store_sums(const PanelProduct& p, std::size_t column,
                           const Vector (&sums)[kRows][Tile<kRows>::kVectors]) {
  const F32 d;
  DSPARK_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) {
    DSPARK_UNROLL
    for (std::size_t v = 0; v < Tile<kRows>::kVectors; ++v) {
      hn::StoreU(sums[r][v], d, p.sums + r * kPanel + column + v * kLanes);
    }
  }
}

HWY_INLINE const float* row_of(const PanelProduct& p, std::size_t row) {
  return reinterpret_cast<const float*>(p.x + row * p.x_row_bytes);
}

template <std::size_t kRows>
void f32_tile(const PanelProduct& p) {
  const F32 d;
  const float* x[kRows];
  DSPARK_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) x[r] = row_of(p, r);
  for (std::size_t column = 0; column < kPanel; column += Tile<kRows>::kColumns) {
    Vector sums[kRows][Tile<kRows>::kVectors];
    load_sums<kRows>(p, column, sums);
    const float* weights = reinterpret_cast<const float*>(p.panel) + column;
    for (std::size_t k = 0; k < p.inputs; ++k, weights += kPanel) {
      hwy::Prefetch(weights + kAhead / sizeof(float));
      if constexpr (Tile<kRows>::kColumns == kPanel) hwy::Prefetch(weights + kAhead / sizeof(float) + 16);
      Vector w[Tile<kRows>::kVectors];
      DSPARK_UNROLL
      for (std::size_t v = 0; v < Tile<kRows>::kVectors; ++v) w[v] = hn::Load(d, weights + v * kLanes);
      DSPARK_UNROLL
      for (std::size_t r = 0; r < kRows; ++r) {
        const Vector input = hn::Set(d, x[r][k]);
        DSPARK_UNROLL
        for (std::size_t v = 0; v < Tile<kRows>::kVectors; ++v)
          sums[r][v] = hn::MulAdd(w[v], input, sums[r][v]);
      }
    }
    store_sums<kRows>(p, column, sums);
  }
}

/// One step of bf16 weights: the even input of each pair (`kOdd` false) or the odd one.
template <bool kOdd, std::size_t kRows>
HWY_INLINE void widened_step(const std::uint32_t* weights, const float* const (&x)[kRows], std::size_t k,
                             Vector (&sums)[kRows][Tile<kRows>::kVectors]) {
  const F32 d;
  const U32 u;
  DSPARK_UNROLL
  for (std::size_t v = 0; v < Tile<kRows>::kVectors; ++v) {
    const auto pairs = hn::Load(u, weights + v * kLanes);
    const Vector w =
        hn::BitCast(d, kOdd ? hn::And(pairs, hn::Set(u, 0xffff0000u)) : hn::ShiftLeft<16>(pairs));
    DSPARK_UNROLL
    for (std::size_t r = 0; r < kRows; ++r) {
      sums[r][v] = hn::MulAdd(w, hn::Set(d, x[r][k + (kOdd ? 1 : 0)]), sums[r][v]);
    }
  }
}

template <std::size_t kRows>
void widened_tile(const PanelProduct& p) {
  const float* x[kRows];
  DSPARK_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) x[r] = row_of(p, r);
  for (std::size_t column = 0; column < kPanel; column += Tile<kRows>::kColumns) {
    Vector sums[kRows][Tile<kRows>::kVectors];
    load_sums<kRows>(p, column, sums);
    const std::uint32_t* weights = reinterpret_cast<const std::uint32_t*>(p.panel) + column;
    std::size_t k = 0;
    for (; k + 2 <= p.inputs; k += 2, weights += kPanel) {
      hwy::Prefetch(weights + kAhead / sizeof(float));
      if constexpr (Tile<kRows>::kColumns == kPanel) hwy::Prefetch(weights + kAhead / sizeof(float) + 16);
      widened_step<false>(weights, x, k, sums);
      widened_step<true>(weights, x, k, sums);
    }
    if (k < p.inputs) widened_step<false>(weights, x, k, sums);
    store_sums<kRows>(p, column, sums);
  }
}

// AVX2 sums at most six rows at once, in two halves of a panel; more rows are two passes.
constexpr std::size_t kMostRows = HWY_TARGET == HWY_AVX2 ? 6 : 12;
using TileProduct = void (*)(const PanelProduct&);

template <std::size_t... kRows>
constexpr std::array<TileProduct, kMostRows + 1> f32_tiles(std::index_sequence<kRows...>) {
  return {nullptr, &f32_tile<kRows + 1>...};
}
template <std::size_t... kRows>
constexpr std::array<TileProduct, kMostRows + 1> widened_tiles(std::index_sequence<kRows...>) {
  return {nullptr, &widened_tile<kRows + 1>...};
}

/// Tiles as equal as can be: a tile of few rows waits for its own sums.
void in_tiles(const PanelProduct& product, const std::array<TileProduct, kMostRows + 1>& tiles) {
  const std::size_t parts = (product.rows + kMostRows - 1) / kMostRows;
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t first = part * product.rows / parts;
    PanelProduct tile = product;
    tile.rows = (part + 1) * product.rows / parts - first;
    tile.x += first * product.x_row_bytes;
    tile.sums += first * kPanel;
    tiles[tile.rows](tile);
  }
}

void multiply_f32(const PanelProduct& product) {
  static constexpr auto kTiles = f32_tiles(std::make_index_sequence<kMostRows>());
  in_tiles(product, kTiles);
}

void multiply_widened(const PanelProduct& product) {
  static constexpr auto kTiles = widened_tiles(std::make_index_sequence<kMostRows>());
  in_tiles(product, kTiles);
}

}  // namespace HWY_NAMESPACE
}  // namespace dspark
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
static_assert((HWY_TARGETS & (HWY_AVX2 | HWY_AVX3)) == (HWY_AVX2 | HWY_AVX3),
              "compile for every x86-64, not -march=native");

namespace dspark {

MultiplyPanel f32_products(InstructionSet set) {
  return set == InstructionSet::kAvx2 ? &N_AVX2::multiply_f32 : &N_AVX3::multiply_f32;
}

MultiplyPanel widened_products(InstructionSet set) {
  return set == InstructionSet::kAvx2 ? &N_AVX2::multiply_widened : &N_AVX3::multiply_widened;
}

}  // namespace dspark
#endif
