// The operators that drafters need beside those of a model.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "tests/kernels/cpu/cases.h"

namespace dspark {
namespace {

TEST(DraftOperators, ASigmoidGateClosesAsItsFormulaSays) {
  const auto kernels = cases::kernels();
  for (const std::size_t width : {1U, 8U, 37U}) {
    std::vector<float> gate = cases::numbers(3 * width, 1), up = cases::numbers(3 * width, 2);
    for (float& x : gate) x *= 30;
    std::vector<float> out(gate.size());
    kernels->gate(cases::view<2>(std::as_const(gate), {3, width}),
                  cases::view<2>(std::as_const(up), {3, width}), GateActivation::kSigmoid,
                  cases::view<2>(out, {3, width}));
    for (std::size_t i = 0; i < out.size(); ++i) {
      const double expected = static_cast<double>(up[i]) / (1 + std::exp(-static_cast<double>(gate[i])));
      EXPECT_NEAR(static_cast<double>(out[i]), expected, 1e-6 * std::abs(expected) + 1e-12);
    }
  }
}

TEST(DraftOperators, RowsAreSpreadOverTheColumnsTheyKnow) {
  const auto kernels = cases::kernels(ElementType::kF32, 2);
  const std::vector<float> x{1, 2, 3, 4, 5, 6};
  std::vector<float> out(20, 9);
  const std::vector<std::int32_t> rows{3, 1}, columns{4, 0, 2};
  kernels->spread(cases::view<2>(x, {2, 3}), rows, columns, cases::view<2>(out, {4, 5}));
  EXPECT_EQ(out, (std::vector<float>{9, 9, 9, 9, 9, 5, 0, 6, 0, 4, 9, 9, 9, 9, 9, 2, 0, 3, 0, 1}));
  std::vector<float> whole(9, 9);
  kernels->spread(cases::view<2>(x, {2, 3}), std::vector<std::int32_t>{2, 0}, {},
                  cases::view<2>(whole, {3, 3}));
  EXPECT_EQ(whole, (std::vector<float>{4, 5, 6, 9, 9, 9, 1, 2, 3}));
}

}  // namespace
}  // namespace dspark
