#include "kernels/cpu/panel_product.h"

#include <algorithm>
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
constexpr std::size_t kVectors = kPanel / kLanes;
// Rows of a tile: its sums take 12 of AVX2's 16 registers, 24 of AVX-512's 32.
constexpr std::size_t kMostRows = HWY_TARGET == HWY_AVX2 ? 3 : 12;
// Steps of a panel, 8 KiB, that stay in the first cache where several tiles pass it.
constexpr std::size_t kSteps = 64;

template <std::size_t kRows>
using Sums = Vector[kRows][kVectors];

template <std::size_t kRows>
HWY_INLINE void load_sums(const PanelProduct& p, Sums<kRows>& sums) {
  const F32 d;
  DSPARK_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) {
    DSPARK_UNROLL
    for (std::size_t v = 0; v < kVectors; ++v) {
      sums[r][v] = p.goes_on ? hn::LoadU(d, p.sums + r * kPanel + v * kLanes) : hn::Zero(d);
    }
  }
}

template <std::size_t kRows>
HWY_INLINE void store_sums(const PanelProduct& p, const Sums<kRows>& sums) {
  const F32 d;
  DSPARK_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) {
    DSPARK_UNROLL
    for (std::size_t v = 0; v < kVectors; ++v) {
      hn::StoreU(sums[r][v], d, p.sums + r * kPanel + v * kLanes);
    }
  }
}

/// Asks for the weights 4 KiB further on in the stream.
template <class T>
HWY_INLINE void ask_ahead(const T* weights) {
  hwy::Prefetch(weights + kPanel * 32);
  hwy::Prefetch(weights + kPanel * 32 + 16);
}

/// sums += input k of each row times one step of the panel, whose registers `weights(v)` gives. Whichever is
/// fewer, inputs or weights, is held in registers.
template <std::size_t kRows, class Weights>
HWY_INLINE void step(const float* const (&x)[kRows], std::size_t k, const Weights& weights,
                     Sums<kRows>& sums) {
  const F32 d;
  if constexpr (kRows < kVectors) {
    Vector inputs[kRows];
    DSPARK_UNROLL
    for (std::size_t r = 0; r < kRows; ++r) inputs[r] = hn::Set(d, x[r][k]);
    DSPARK_UNROLL
    for (std::size_t v = 0; v < kVectors; ++v) {
      const Vector w = weights.of(v);
      DSPARK_UNROLL
      for (std::size_t r = 0; r < kRows; ++r) sums[r][v] = hn::MulAdd(inputs[r], w, sums[r][v]);
    }
  } else {
    Vector w[kVectors];
    DSPARK_UNROLL
    for (std::size_t v = 0; v < kVectors; ++v) w[v] = weights.of(v);
    DSPARK_UNROLL
    for (std::size_t r = 0; r < kRows; ++r) {
      const Vector input = hn::Set(d, x[r][k]);
      DSPARK_UNROLL
      for (std::size_t v = 0; v < kVectors; ++v) sums[r][v] = hn::MulAdd(input, w[v], sums[r][v]);
    }
  }
}

struct F32Weights {
  const float* at;
  HWY_INLINE Vector of(std::size_t v) const { return hn::Load(F32(), at + v * kLanes); }
};

/// The even inputs of pairs of bf16, in the lower halves, or the odd ones.
template <bool kOdd>
struct WidenedWeights {
  const std::uint32_t* at;
  HWY_INLINE Vector of(std::size_t v) const {
    const U32 u;
    const auto pairs = hn::Load(u, at + v * kLanes);
    // Two shifts and no mask: AVX2 has no register left for one.
    return hn::BitCast(F32(), hn::ShiftLeft<16>(kOdd ? hn::ShiftRight<16>(pairs) : pairs));
  }
};

HWY_INLINE const float* row_of(const PanelProduct& p, std::size_t row) {
  return reinterpret_cast<const float*>(p.x + row * p.x_row_bytes);
}

template <std::size_t kRows>
void f32_tile(const PanelProduct& p) {
  const float* x[kRows];
  DSPARK_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) x[r] = row_of(p, r);
  Sums<kRows> sums;
  load_sums<kRows>(p, sums);
  const float* weights = reinterpret_cast<const float*>(p.panel);
  for (std::size_t k = 0; k < p.inputs; ++k, weights += kPanel) {
    ask_ahead(weights);
    step<kRows>(x, k, F32Weights{weights}, sums);
  }
  store_sums<kRows>(p, sums);
}

template <std::size_t kRows>
void widened_tile(const PanelProduct& p) {
  const float* x[kRows];
  DSPARK_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) x[r] = row_of(p, r);
  Sums<kRows> sums;
  load_sums<kRows>(p, sums);
  const std::uint32_t* weights = reinterpret_cast<const std::uint32_t*>(p.panel);
  std::size_t k = 0;
  for (; k + 2 <= p.inputs; k += 2, weights += kPanel) {
    ask_ahead(weights);
    step<kRows>(x, k, WidenedWeights<false>{weights}, sums);
    step<kRows>(x, k + 1, WidenedWeights<true>{weights}, sums);
  }
  if (k < p.inputs) step<kRows>(x, k, WidenedWeights<false>{weights}, sums);
  store_sums<kRows>(p, sums);
}

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
void in_tiles(const PanelProduct& product, std::size_t inputs_of_step,
              const std::array<TileProduct, kMostRows + 1>& tiles) {
  const std::size_t parts = (product.rows + kMostRows - 1) / kMostRows;
  const std::size_t stretch = parts == 1 ? product.inputs : kSteps * inputs_of_step;
  for (std::size_t k = 0; k < product.inputs; k += stretch) {
    for (std::size_t part = 0; part < parts; ++part) {
      const std::size_t first = part * product.rows / parts;
      PanelProduct tile = product;
      tile.rows = (part + 1) * product.rows / parts - first;
      tile.x += first * product.x_row_bytes + k * sizeof(float);
      tile.panel += k / inputs_of_step * kPanel * sizeof(float);
      tile.inputs = std::min(stretch, product.inputs - k);
      tile.sums += first * kPanel;
      tile.goes_on = product.goes_on || k > 0;
      tiles[tile.rows](tile);
    }
  }
}

void multiply_f32(const PanelProduct& product) {
  static constexpr auto kTiles = f32_tiles(std::make_index_sequence<kMostRows>());
  in_tiles(product, 1, kTiles);
}

void multiply_widened(const PanelProduct& product) {
  static constexpr auto kTiles = widened_tiles(std::make_index_sequence<kMostRows>());
  in_tiles(product, 2, kTiles);
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
