#include "kernels/cpu/matrix_product.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/cpu/number_formats.h"
#include "tests/kernels/cpu/cases.h"

namespace dspark {
namespace {

using cases::view;

struct Shape {
  std::size_t rows, inputs, outputs;
};
// Odd sizes, a panel and one column more, one row, all tiles of rows, several stretches of a panel.
constexpr Shape kShapes[] = {{1, 1, 1},    {1, 64, 32},  {2, 33, 33},    {3, 100, 95},
                             {5, 7, 1},    {7, 129, 64}, {12, 96, 40},   {13, 256, 31},
                             {24, 65, 70}, {97, 40, 33}, {300, 130, 65}, {40, 5001, 34}};

std::vector<float> product(Kernels& kernels, const Shape& s, const std::vector<float>& x,
                           const std::vector<float>& w, const std::vector<float>& bias, bool add) {
  const auto matrix = kernels.load(ElementType::kF32, cases::bytes_of(w), s.outputs, s.inputs);
  std::vector<float> out = cases::numbers(s.rows * s.outputs, 9);
  kernels.multiply(view<2>(x, {s.rows, s.inputs}), *matrix, {bias.data(), {bias.size()}}, add,
                   view<2>(out, {s.rows, s.outputs}));
  return out;
}

/// Rounded as the set and type round, summed in f64.
std::vector<double> naive(const Shape& s, std::vector<float> x, std::vector<float> w,
                          const std::vector<float>& bias, bool add, ElementType type, InstructionSet set) {
  const auto round = [](float& value) { value = float_from_bf16(bf16_from_float(value)); };
  if (type == ElementType::kBf16) {
    for (float& value : w) round(value);
    if (set == InstructionSet::kAvx512Bf16) {
      for (float& value : x) round(value);
    }
  }
  const std::vector<float> before = cases::numbers(s.rows * s.outputs, 9);
  std::vector<double> out(before.size());
  for (std::size_t r = 0; r < s.rows; ++r) {
    for (std::size_t c = 0; c < s.outputs; ++c) {
      double sum = bias.empty() ? 0.0 : bias[c];
      for (std::size_t k = 0; k < s.inputs; ++k) {
        sum += static_cast<double>(x[r * s.inputs + k]) * static_cast<double>(w[c * s.inputs + k]);
      }
      out[r * s.outputs + c] = sum + (add ? before[r * s.outputs + c] : 0.0);
    }
  }
  return out;
}

/// Rounding of K + 2 additions of numbers up to 1: each below 2^-24 of a partial sum, which itself is at most
/// K + 2, and in fact near √K; four times that.
double tolerance(const Shape& s) {
  const double n = static_cast<double>(s.inputs) + 2;
  return 4 * n * std::sqrt(n) * 0x1p-24;
}

TEST(MatrixProduct, IsTheNaiveOneToRoundingForAllShapesTypesAndSets) {
  for (const InstructionSet set : instruction_sets()) {
    for (const ElementType type : {ElementType::kF32, ElementType::kBf16}) {
      const auto kernels = cases::kernels(type, set, 2);
      for (const Shape& s : kShapes) {
        const auto x = cases::numbers(s.rows * s.inputs, 1), w = cases::numbers(s.inputs * s.outputs, 2);
        const auto bias = cases::numbers(s.outputs, 3);
        for (const bool add : {false, true}) {
          const std::vector<float> offset = add ? bias : std::vector<float>();
          const auto got = product(*kernels, s, x, w, offset, add);
          const auto want = naive(s, x, w, offset, add, type, set);
          for (std::size_t i = 0; i < got.size(); ++i) {
            ASSERT_NEAR(got[i], want[i], tolerance(s))
                << kernels->description() << ' ' << s.rows << 'x' << s.inputs << 'x' << s.outputs << " at "
                << i << " add " << add;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace dspark
