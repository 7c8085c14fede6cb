#include "sim/demand/sensitivity.h"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "policies/elementary.h"
#include "sim/random/random_key.h"

namespace dspark {
namespace {

using Function = std::function<double(const std::vector<double>&)>;

SaltelliSample sample_of(const Function& f, std::size_t inputs, std::size_t rows) {
  const RandomKey key = make_random_key(7, 0);
  const auto u = [&](std::size_t input, std::size_t row, std::uint32_t matrix) {
    return uniform_from_bits(draw_words(key, Stream::kUncertainDraw, static_cast<std::uint32_t>(input),
                                        static_cast<std::uint32_t>(row), matrix)[0]);
  };
  SaltelliSample sample;
  sample.at_mixed.resize(inputs);
  for (std::size_t row = 0; row < rows; ++row) {
    std::vector<double> a(inputs), b(inputs);
    for (std::size_t i = 0; i < inputs; ++i) a[i] = u(i, row, 0), b[i] = u(i, row, 1);
    sample.at_a.push_back(f(a));
    sample.at_b.push_back(f(b));
    for (std::size_t i = 0; i < inputs; ++i) {
      std::vector<double> mixed = a;
      mixed[i] = b[i];
      sample.at_mixed[i].push_back(f(mixed));
    }
  }
  return sample;
}

/// The interval holds 95 % of resamples: four standard errors are about twice its width.
void expect_near(const BootstrappedIndex& index, double expected) {
  EXPECT_LE(index.low, index.value);
  EXPECT_GE(index.high, index.value);
  EXPECT_NEAR(index.value, expected, index.high - index.low + 1e-12);
}

TEST(Sensitivity, IndicesOfTheIshigamiFunctionAreItsClosedForm) {
  // f = sin x1 + a sin^2 x2 + b x3^4 sin x1 on (-pi, pi)^3.
  constexpr double a = 7, b = 0.1, pi = std::numbers::pi;
  const auto f = [&](const std::vector<double>& u) {
    const double x1 = pi * (2 * u[0] - 1), x2 = pi * (2 * u[1] - 1), x3 = pi * (2 * u[2] - 1);
    return std::sin(x1) + a * std::sin(x2) * std::sin(x2) + b * x3 * x3 * x3 * x3 * std::sin(x1);
  };
  const double pi4 = std::pow(pi, 4), pi8 = pi4 * pi4;
  const double v1 = 0.5 * (1 + b * pi4 / 5) * (1 + b * pi4 / 5), v2 = a * a / 8,
               v13 = b * b * pi8 * (1.0 / 18 - 1.0 / 50), v = v1 + v2 + v13;
  const auto indices = sobol_indices(sample_of(f, 3, 4000), 1);
  expect_near(indices[0].first, v1 / v);
  expect_near(indices[1].first, v2 / v);
  expect_near(indices[2].first, 0);
  expect_near(indices[0].total, (v1 + v13) / v);
  expect_near(indices[1].total, v2 / v);
  expect_near(indices[2].total, v13 / v);
  EXPECT_LT(indices[0].total.high - indices[0].total.low, 0.1);  // so that the above says something
}

TEST(Sensitivity, InASumEachTermHasItsShareOfTheVarianceFirstAndInTotal) {
  const double weights[] = {3, 2, 1, 0};
  const auto f = [&](const std::vector<double>& u) { return 3 * u[0] + 2 * u[1] + u[2]; };
  const auto indices = sobol_indices(sample_of(f, 4, 4000), 1);
  for (std::size_t i = 0; i < 4; ++i) {
    expect_near(indices[i].first, weights[i] * weights[i] / 14);
    expect_near(indices[i].total, weights[i] * weights[i] / 14);
  }
  EXPECT_EQ(indices[3].total.value, 0);
}

TEST(Sensitivity, RowsWithoutAnOutputAreLeftOutAndAConstantHasNoIndices) {
  SaltelliSample sample = sample_of([](const auto& u) { return u[0]; }, 1, 100);
  sample.at_mixed[0][3] = std::nan("");
  sample.at_b[90] = std::nan("");
  std::size_t rows = 0;
  sobol_indices(sample, 1, &rows);
  EXPECT_EQ(rows, 98u);
  const auto constant = sobol_indices(sample_of([](const auto&) { return 0.3; }, 2, 50), 1);
  EXPECT_EQ(constant[0].total.value, 0);
  EXPECT_EQ(constant[1].first.high, 0);
}

}  // namespace
}  // namespace dspark
