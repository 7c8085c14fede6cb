#include "kernels/cpu/row_operators.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/cpu/number_formats.h"
#include "tests/kernels/cpu/cases.h"

namespace dspark {
namespace {

using cases::view;

// Rows of odd widths, below, at and past whole registers.
constexpr std::size_t kWidths[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 100, 129, 1024};
// Of one f32 rounding, relative.
constexpr double kRounding = 0x1p-24;

std::vector<float> times(std::vector<float> x, float factor) {
  for (float& value : x) value *= factor;
  return x;
}

TEST(RowOperators, NormsAreTheNaiveOnesWithAndWithoutWeight) {
  const auto kernels = cases::kernels(ElementType::kF32, 2);
  for (const std::size_t width : kWidths) {
    for (const std::size_t rows : {std::size_t{1}, std::size_t{300}}) {
      const auto x = times(cases::numbers(rows * width, 1), 3), weight = cases::numbers(width, 2);
      for (const auto& [offset, epsilon] : {std::pair{0.0f, 1e-6f}, {1.0f, 0.25f}}) {
        for (const bool weighted : {false, true}) {
          std::vector<float> out(x.size());
          kernels->rms_norm(view<2>(x, {rows, width}), {weight.data(), {weighted ? width : 0}}, offset,
                            epsilon, view<2>(out, {rows, width}));
          double squares = 0;
          for (std::size_t i = 0; i < x.size(); ++i) {
            if (i % width == 0) {
              squares = 0;
              for (std::size_t k = 0; k < width; ++k) squares += double{x[i + k]} * double{x[i + k]};
            }
            const double factor = weighted ? double{offset} + double{weight[i % width]} : 1.0;
            const double want =
                x[i] / std::sqrt(squares / static_cast<double>(width) + double{epsilon}) * factor;
            // The sum's own rounding, of at most 64 additions a lane, is halved by the root.
            ASSERT_NEAR(out[i], want, 40 * kRounding * (std::fabs(want) + 0.01)) << width << " at " << i;
          }
        }
      }
    }
  }
}

TEST(RowOperators, NormsMayBeInPlace) {
  const auto kernels = cases::kernels();
  auto x = cases::numbers(3 * 33, 1);
  const auto weight = cases::numbers(33, 2);
  std::vector<float> out(x.size());
  kernels->rms_norm(view<2>(x, {3, 33}), view<1>(weight, {33}), 0, 1e-5f, view<2>(out, {3, 33}));
  kernels->rms_norm(view<2>(x, {3, 33}), view<1>(weight, {33}), 0, 1e-5f, view<2>(x, {3, 33}));
  EXPECT_TRUE(cases::same_bits(x, out));
}

TEST(RowOperators, GatesAndCapsAreTheNaiveOnesFarAndNear) {
  const auto kernels = cases::kernels(ElementType::kF32, 2);
  for (const std::size_t width : kWidths) {
    for (const float range : {0.01f, 1.0f, 10.0f, 200.0f}) {
      const auto g = times(cases::numbers(3 * width, 1), range), up = cases::numbers(3 * width, 2);
      std::vector<float> silu(g.size()), gelu(g.size()), capped = g;
      const std::array<std::size_t, 2> shape = {3, width};
      kernels->gate(view<2>(g, shape), view<2>(up, shape), GateActivation::kSilu, view<2>(silu, shape));
      kernels->gate(view<2>(g, shape), view<2>(up, shape), GateActivation::kGeluTanh, view<2>(gelu, shape));
      kernels->soft_cap(view<2>(capped, shape), 30);
      for (std::size_t i = 0; i < g.size(); ++i) {
        const double x = g[i], y = up[i];
        const double inner = std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
        // An exponent of size e is rounded to e · 2^-24: its exponential is off by that, relative.
        const auto near = [&](double got, double want, double exponent) {
          return std::fabs(got - want) <=
                 (8 + 2 * std::fabs(exponent)) * kRounding * (std::fabs(want) + 1e-30);
        };
        ASSERT_TRUE(near(silu[i], x / (1 + std::exp(-x)) * y, std::min(90.0, std::fabs(x))) || x < -87) << x;
        ASSERT_TRUE(near(gelu[i], x / (1 + std::exp(-2 * inner)) * y, std::min(90.0, std::fabs(2 * inner))) ||
                    2 * inner < -87)
            << x << ' ' << gelu[i];
        ASSERT_TRUE(near(capped[i], 30 * std::tanh(x / 30), 1)) << x << ' ' << capped[i];
      }
    }
  }
}

TEST(RowOperators, AGateThatIsShutIsZeroAndOneWideOpenIsItself) {
  const auto kernels = cases::kernels();
  std::vector<float> g = {-200, -1e30f, 200, 1e30f, 0}, up = {1, 1, 1, 1, 1};
  for (const auto activation : {GateActivation::kSilu, GateActivation::kGeluTanh}) {
    std::vector<float> out(5);
    kernels->gate(view<2>(g, {1, 5}), view<2>(up, {1, 5}), activation, view<2>(out, {1, 5}));
    EXPECT_NEAR(out[0], 0, 1e-30);
    EXPECT_EQ(out[2], 200);
    EXPECT_EQ(out[3], 1e30f);
    EXPECT_EQ(out[4], 0);
  }
}

TEST(RowOperators, RotationTurnsEachPairByItsAngle) {
  const auto kernels = cases::kernels(ElementType::kF32, 2);
  for (const std::size_t half : {1u, 3u, 8u, 20u, 64u}) {
    const std::size_t rows = 5, heads = 3, dim = 2 * half;
    const auto before = cases::numbers(rows * heads * dim, 1);
    auto x = before;
    const auto cosine = cases::numbers(rows * half, 2), sine = cases::numbers(rows * half, 3);
    kernels->rotate(view<3>(x, {rows, heads, dim}), view<2>(cosine, {rows, half}),
                    view<2>(sine, {rows, half}));
    for (std::size_t i = 0; i < x.size(); ++i) {
      const std::size_t row = i / (heads * dim), at = i % dim, pair = at % half;
      const double c = cosine[row * half + pair], s = sine[row * half + pair];
      const double a = before[i / dim * dim + pair], b = before[i / dim * dim + half + pair];
      ASSERT_NEAR(x[i], at < half ? a * c - b * s : b * c + a * s, 3 * kRounding);
    }
  }
}

TEST(RowOperators, AnglesAreThoseOfExactProductsUpToAMillionPositions) {
  const auto kernels = cases::kernels(ElementType::kF32, 2);
  std::vector<std::int32_t> positions = {0, 1, 2, 3, 1000, 4095, 65535, 999999, 1000000};
  for (std::int32_t i = 0; i < 500; ++i) positions.push_back(i * 1999 % 1000003 % 1000001);
  std::vector<float> frequencies = {1, 0, 0.5f};
  for (int pair = 0; pair < 32; ++pair)
    frequencies.push_back(static_cast<float>(std::pow(1e6, -pair / 32.0)));
  const std::array<std::size_t, 2> shape = {positions.size(), frequencies.size()};
  for (const float scale : {1.0f, 1.25f}) {
    std::vector<float> cosine(shape[0] * shape[1]), sine(cosine.size());
    kernels->rope_angles(positions, frequencies, scale, view<2>(cosine, shape), view<2>(sine, shape));
    for (std::size_t i = 0; i < cosine.size(); ++i) {
      const long double angle = static_cast<long double>(positions[i / shape[1]]) * frequencies[i % shape[1]];
      ASSERT_NEAR(cosine[i], static_cast<double>(std::cos(angle)) * scale, 2 * kRounding);
      ASSERT_NEAR(sine[i], static_cast<double>(std::sin(angle)) * scale, 2 * kRounding);
    }
  }
}

TEST(RowOperators, WhatIsCopiedAddedAndScaledIsExact) {
  const auto kernels = cases::kernels(ElementType::kBf16, 2);
  const std::size_t tokens = 70, width = 33;
  const auto table = cases::numbers(tokens * width, 1), more = cases::numbers(300 * 5, 2);
  const auto matrix = kernels->load(ElementType::kF32, cases::bytes_of(table), tokens, width);
  std::vector<std::int32_t> rows;
  for (std::int32_t i = 0; i < 300; ++i) rows.push_back(i * 13 % 70);
  std::vector<float> embedded(300 * width), gathered(300 * width), joined(300 * (width + 5)), sum;
  kernels->embed(rows, *matrix, 4, view<2>(embedded, {300, width}));
  kernels->gather(view<2>(table, {tokens, width}), rows, view<2>(gathered, {300, width}));
  const View<const float, 2> parts[] = {view<2>(std::as_const(gathered), {300, width}),
                                        view<2>(more, {300, 5})};
  kernels->concatenate(parts, view<2>(joined, {300, width + 5}));
  sum = gathered;
  kernels->add(view<2>(sum, {300, width}), view<2>(std::as_const(embedded), {300, width}));
  kernels->scale(view<2>(sum, {300, width}), 0.3f);
  for (std::size_t i = 0; i < embedded.size(); ++i) {
    const float from = table[static_cast<std::size_t>(rows[i / width]) * width + i % width];
    const float rounded = 4 * float_from_bf16(bf16_from_float(from));
    ASSERT_EQ(gathered[i], from);
    ASSERT_EQ(embedded[i], rounded);
    ASSERT_EQ(joined[i / width * (width + 5) + i % width], from);
    ASSERT_EQ(sum[i], (from + rounded) * 0.3f);
  }
  for (std::size_t i = 0; i < more.size(); ++i)
    ASSERT_EQ(joined[i / 5 * (width + 5) + width + i % 5], more[i]);
}

TEST(NumberFormats, AreExactOrRoundToTheNearestTiesToEven) {
  EXPECT_EQ(float_from_f16(0x3c00), 1.0f);
  EXPECT_EQ(float_from_f16(0xc400), -4.0f);
  EXPECT_EQ(float_from_f16(0x0001), 0x1p-24f);
  EXPECT_EQ(float_from_f16(0x03ff), 0x3ffp-24f);
  EXPECT_EQ(float_from_f16(0x7bff), 65504.0f);
  EXPECT_TRUE(std::isinf(float_from_f16(0x7c00)));
  EXPECT_TRUE(std::isnan(float_from_f16(0x7e00)));
  EXPECT_EQ(bf16_from_float(1.0f), 0x3f80);
  EXPECT_EQ(bf16_from_float(1.0f + 0x1p-8f), 0x3f80);             // half way, to the even one below
  EXPECT_EQ(bf16_from_float(1.0f + 0x1p-7f + 0x1p-8f), 0x3f82);   // half way, to the even one above
  EXPECT_EQ(bf16_from_float(1.0f + 0x1p-8f + 0x1p-20f), 0x3f81);  // past half way
  EXPECT_TRUE(std::isnan(float_from_bf16(bf16_from_float(NAN))));
  EXPECT_TRUE(std::isinf(float_from_bf16(bf16_from_float(INFINITY))));
}

}  // namespace
}  // namespace dspark
