#include "experiments/results/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace dspark {
namespace {

TEST(Statistics, StudentsTMeetsTheTables) {
  // Abramowitz and Stegun, table 26.10, two-sided 95 %.
  EXPECT_NEAR(student_t_975(1), 12.706, 5e-4);
  EXPECT_NEAR(student_t_975(2), 4.303, 5e-4);
  EXPECT_NEAR(student_t_975(4), 2.776, 5e-4);
  EXPECT_NEAR(student_t_975(7), 2.365, 5e-4);
  EXPECT_NEAR(student_t_975(30), 2.042, 5e-4);
  EXPECT_NEAR(student_t_975(9999), 1.960, 5e-4);
}

TEST(Statistics, IntervalOfFourValues) {
  // Mean 2.5, variance 5/3, standard error sqrt(5/12), t(3) = 3.182446.
  const Interval interval = interval_of(std::vector<double>{1, 2, 3, 4});
  EXPECT_EQ(interval.mean, 2.5);
  EXPECT_NEAR(interval.high - interval.mean, 3.182446 * std::sqrt(5.0 / 12), 1e-12);
  EXPECT_NEAR(interval.mean - interval.low, 3.182446 * std::sqrt(5.0 / 12), 1e-12);
  EXPECT_EQ(interval.n, 4);
}

TEST(Statistics, OneValueHasNoIntervalAndNoneHasNoMean) {
  const Interval one = interval_of(std::vector<double>{7});
  EXPECT_EQ(one.mean, 7);
  EXPECT_TRUE(std::isnan(one.low) && std::isnan(one.high));
  const Interval none = interval_of({});
  EXPECT_TRUE(std::isnan(none.mean));
  EXPECT_EQ(none.n, 0);
}

}  // namespace
}  // namespace dspark
