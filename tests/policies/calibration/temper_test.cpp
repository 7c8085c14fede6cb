#include "policies/calibration/temper.h"

#include <gtest/gtest.h>

#include <cmath>

namespace dspark {
namespace {

TEST(Logit, IsWithinThreeTenMillionths) {
  for (int i = 1; i < 100000; ++i) {
    const float p = static_cast<float>(i) * 1e-5f;
    const double truth = std::log(static_cast<double>(p) / (1 - static_cast<double>(p)));
    EXPECT_NEAR(logit(p), truth, 3e-7 * std::max(1.0, std::abs(truth))) << p;
  }
  for (float p = 0.5f; p > 1e-37f; p *= 0.7f) {
    EXPECT_NEAR(logit(p), std::log(static_cast<double>(p)) - std::log1p(-static_cast<double>(p)), 3e-5) << p;
  }
}

TEST(Logit, OfTheEndsIsFinite) {
  EXPECT_LT(logit(0), -87);
  EXPECT_GT(logit(1), 16);
  EXPECT_TRUE(std::isfinite(logit(0)) && std::isfinite(logit(1)));
}

TEST(Temper, DividesTheLogit) {
  for (const float t : {0.0625f, 0.5f, 1.0f, 3.0f, 16.0f}) {
    EXPECT_EQ(temper(0, t), 0);
    EXPECT_EQ(temper(1, t), 1);
    EXPECT_EQ(temper(std::nanf(""), t), 0);
    EXPECT_EQ(temper(0.5f, t), 0.5f);
    for (const float c : {0.01f, 0.3f, 0.7f, 0.999f}) {
      const double logit = std::log(static_cast<double>(c) / (1 - static_cast<double>(c)));
      EXPECT_NEAR(temper(c, t), 1 / (1 + std::exp(-logit / static_cast<double>(t))), 1e-6);
      EXPECT_EQ(temper(c, t) > 0.5f, c > 0.5f);
    }
  }
  EXPECT_EQ(temper(0.3f, 1), 0.3f);
}

}  // namespace
}  // namespace dspark
