// Compiled with -mavx512bf16, which Debian's Highway does not know yet, and called only where the processor
// has it. So nothing here may be an inline function of a shared header: the linker could take this file's
// code for it elsewhere.
#include <immintrin.h>

#include "kernels/cpu/panel_product.h"
#include "kernels/cpu/unroll.h"

namespace dspark {
namespace {

constexpr std::size_t kPanel = 32;
constexpr std::size_t kAhead = 4096;  // bytes of the stream that are asked for before they are needed

template <std::size_t kRows>
void tile(const PanelProduct& p) {
  const std::byte* x[kRows];
  __m512 sums[kRows][2];
  DSPARK_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) {
    x[r] = p.x + r * p.x_row_bytes;
    const float* before = p.sums + r * kPanel;
    sums[r][0] = p.goes_on ? _mm512_loadu_ps(before) : _mm512_setzero_ps();
    sums[r][1] = p.goes_on ? _mm512_loadu_ps(before + 16) : _mm512_setzero_ps();
  }
  const std::byte* weights = p.panel;
  const std::size_t pairs = (p.inputs + 1) / 2;
  for (std::size_t k = 0; k < pairs; ++k, weights += 4 * kPanel) {
    _mm_prefetch(reinterpret_cast<const char*>(weights) + kAhead, _MM_HINT_T0);
    _mm_prefetch(reinterpret_cast<const char*>(weights) + kAhead + 64, _MM_HINT_T0);
    const auto left = (__m512bh)_mm512_load_si512(weights);
    const auto right = (__m512bh)_mm512_load_si512(weights + 64);
    DSPARK_UNROLL
    for (std::size_t r = 0; r < kRows; ++r) {
      int pair;
      __builtin_memcpy(&pair, x[r] + 4 * k, sizeof pair);
      const auto input = (__m512bh)_mm512_set1_epi32(pair);
      sums[r][0] = _mm512_dpbf16_ps(sums[r][0], left, input);
      sums[r][1] = _mm512_dpbf16_ps(sums[r][1], right, input);
    }
  }
  DSPARK_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) {
    _mm512_storeu_ps(p.sums + r * kPanel, sums[r][0]);
    _mm512_storeu_ps(p.sums + r * kPanel + 16, sums[r][1]);
  }
}

constexpr MultiplyPanel kTiles[kRowsAtOnce + 1] = {nullptr,   &tile<1>,  &tile<2>, &tile<3>, &tile<4>,
                                                   &tile<5>,  &tile<6>,  &tile<7>, &tile<8>, &tile<9>,
                                                   &tile<10>, &tile<11>, &tile<12>};

void multiply_bf16(const PanelProduct& product) {
  const std::size_t parts = (product.rows + kRowsAtOnce - 1) / kRowsAtOnce;
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t first = part * product.rows / parts;
    PanelProduct rows = product;
    rows.rows = (part + 1) * product.rows / parts - first;
    rows.x += first * product.x_row_bytes;
    rows.sums += first * kPanel;
    kTiles[rows.rows](rows);
  }
}

}  // namespace

MultiplyPanel bf16_products() { return &multiply_bf16; }

}  // namespace dspark
