#include "sim/acceptance/text_field.h"

#include <xmmintrin.h>

#include <algorithm>
#include <cmath>

#include "policies/elementary.h"

namespace dspark {

TextField::TextField(const LatentSpread& spread)
    : spread_(spread), request_scale_(static_cast<float>(std::sqrt(spread.between_request_share))) {
  // Between two knots the field is a blend whose squared weights add up to 1, so its variance is 1
  // everywhere.
  const int cells = spread.text_correlation_tokens;
  const double scale = std::sqrt(spread.text_share);
  for (int i = 0; i < cells; ++i) {
    const double right = (i + 0.5) / cells;
    const double norm = std::sqrt(right * right + (1 - right) * (1 - right));
    left_weight_.push_back(static_cast<float>(scale * (1 - right) / norm));
    right_weight_.push_back(static_cast<float>(scale * right / norm));
  }
}

void TextField::read(RandomKey key, std::uint32_t source, std::uint32_t ordinal, std::uint32_t first_knot,
                     std::span<float> values) const {
  const float* grid = normal_grid();
  const RandomWords request = draw_words(key, Stream::kRequestLatent, source, ordinal);
  const float base = request_scale_ * normal_from_bits(request[0], grid);
  RandomWords knots = draw_words(key, Stream::kTextLatent, source, ordinal, first_knot / 4);
  std::uint32_t index = first_knot;
  float left = normal_from_bits(knots[index % 4], grid);
  const std::size_t cells = left_weight_.size();
  for (std::size_t begin = 0; begin < values.size(); begin += cells) {
    if (++index % 4 == 0) knots = draw_words(key, Stream::kTextLatent, source, ordinal, index / 4);
    const float right = normal_from_bits(knots[index % 4], grid);
    for (std::size_t i = 0; i < cells; ++i) {
      values[begin + i] = base + left_weight_[i] * left + right_weight_[i] * right;
    }
    left = right;
  }
}

void TextWindows::forget_unless(const TextField& field, RandomKey key, int depth) {
  const auto distance = static_cast<std::uint32_t>(field.knot_distance());
  const std::uint32_t least = static_cast<std::uint32_t>(depth) + distance;  // any anchor's block fits
  if (key == key_ && field.spread() == spread_ && least <= width_) return;
  constexpr std::uint32_t kLookAhead = 64;  // tokens: more serves more rounds, less fills faster
  key_ = key;
  spread_ = field.spread();
  width_ = (least + kLookAhead + distance - 1) / distance * distance;
  windows_.clear();
}

void TextWindows::read(const TextField& field, RandomKey key, std::span<const std::uint32_t> source,
                       std::span<const std::uint32_t> ordinal, std::span<const std::int32_t> anchor,
                       int depth, float* columns) {
  forget_unless(field, key, depth);
  const std::size_t requests = source.size();
  if (windows_.size() < requests) {
    windows_.resize(requests);
    values_.resize(requests * width_ + kTile);  // a tile may look past the last window's end
  }
  const auto block = static_cast<std::size_t>(depth);
  std::size_t r = 0;
  for (; r + kTile <= requests; r += kTile) {
    const float* from[kTile];
    for (std::size_t i = 0; i < kTile; ++i) {
      from[i] = behind_anchor(field, key, r + i, {source[r + i], ordinal[r + i]}, anchor[r + i], depth);
    }
    for (std::size_t k = 0; k < block; k += kTile) {
      __m128 row0 = _mm_loadu_ps(from[0] + k), row1 = _mm_loadu_ps(from[1] + k);
      __m128 row2 = _mm_loadu_ps(from[2] + k), row3 = _mm_loadu_ps(from[3] + k);
      _MM_TRANSPOSE4_PS(row0, row1, row2, row3);
      float* column = columns + k * requests + r;
      _mm_storeu_ps(column, row0);
      if (k + 1 < block) _mm_storeu_ps(column + requests, row1);
      if (k + 2 < block) _mm_storeu_ps(column + 2 * requests, row2);
      if (k + 3 < block) _mm_storeu_ps(column + 3 * requests, row3);
    }
  }
  for (; r < requests; ++r) {
    const float* from = behind_anchor(field, key, r, {source[r], ordinal[r]}, anchor[r], depth);
    for (std::size_t k = 0; k < block; ++k) columns[k * requests + r] = from[k];
  }
}

const float* TextWindows::behind_anchor(const TextField& field, RandomKey key, std::size_t row, Text text,
                                        std::int32_t anchor, int depth) {
  const std::uint32_t first = static_cast<std::uint32_t>(anchor) + 1;
  Window& window = windows_[row];
  float* values = values_.data() + row * width_;
  if (!(text == window.text) || first < window.begin ||
      first + static_cast<std::uint32_t>(depth) > window.begin + width_) {
    const auto distance = static_cast<std::uint32_t>(field.knot_distance());
    window = {text, first / distance * distance};
    field.read(key, text.source, text.ordinal, first / distance, {values, width_});
  }
  return values + (first - window.begin);
}

}  // namespace dspark
