#include "policies/elementary.h"

#include <gtest/gtest.h>

#include <cmath>

namespace dspark {
namespace {

TEST(Elementary, ExpAndLogAgreeWithTheLibraryToTheirStatedErrors) {
  for (int i = -7000; i <= 7000; ++i) {
    const double x = i * 0.1003;
    EXPECT_NEAR(exp_portable(x) / std::exp(x), 1, 4e-16) << x;
    const double y = std::exp(x);
    EXPECT_NEAR(log_portable(y), std::log(y), 4e-16 * std::max(1.0, std::abs(std::log(y)))) << y;
  }
  EXPECT_EQ(exp_portable(-1000), 0);
  EXPECT_TRUE(std::isinf(exp_portable(1000)));
}

TEST(Elementary, FloatFunctionsStayBelowTwoInTenMillion) {
  for (int i = -2900; i <= 2900; ++i) {
    const double x = i * 0.01;
    EXPECT_NEAR(logistic(static_cast<float>(x)),
                1 / (1 + std::exp(-static_cast<double>(static_cast<float>(x)))), 2e-7);
    const auto y = static_cast<float>(std::exp(x));
    EXPECT_NEAR(log_portable(y), std::log(static_cast<double>(y)), 2e-7 * std::max(1.0, std::abs(x))) << y;
  }
}

TEST(Elementary, NormalQuantileInvertsTheDistribution) {
  for (int i = 1; i < 2000; ++i) {
    const double u = i / 2000.0;
    EXPECT_NEAR(0.5 * std::erfc(-normal_quantile(u) / std::sqrt(2.0)), u, 1e-15);
  }
  EXPECT_NEAR(normal_quantile(1e-12), -7.034483825301131, 1e-9);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-13);
}

TEST(Elementary, NormalFromBitsHasMeanZeroAndVarianceOne) {
  double sum = 0, squares = 0;
  constexpr int kDraws = 1 << 20;
  for (std::uint32_t i = 0; i < kDraws; ++i) {
    const double x = normal_from_bits(i << 12 | 0x800);  // every cell of the grid, at its middle
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / kDraws, 0, 1e-6);
  EXPECT_NEAR(squares / kDraws, 1, 2e-3);  // the far tail is cut at 3.7
}

}  // namespace
}  // namespace dspark
