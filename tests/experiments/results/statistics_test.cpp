#include "experiments/results/statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
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

TEST(Statistics, ARatioOfIndependentMeansAddsBothErrors) {
  // Means 2 and 4, standard errors √(1/3) and √(4/3): a ratio of 0.5, of variance (1/3)/16 + 0.25·(4/3)/16 =
  // 1/24. Welch and Satterthwaite: both parts are 1/48, so 2 · 2 = 4 degrees of freedom, t(4) = 2.776445.
  const Interval ratio = ratio_of_means(std::vector<double>{1, 2, 3}, std::vector<double>{2, 4, 6});
  EXPECT_DOUBLE_EQ(ratio.mean, 0.5);
  EXPECT_NEAR(ratio.high - ratio.mean, 2.776445 * std::sqrt(1.0 / 24), 1e-7);
  EXPECT_NEAR(ratio.mean - ratio.low, 2.776445 * std::sqrt(1.0 / 24), 1e-7);
  EXPECT_TRUE(std::isnan(ratio_of_means(std::vector<double>{1, 2}, std::vector<double>{2}).low));
  EXPECT_EQ(ratio_of_means(std::vector<double>{1, 2}, {}).n, 0);
  EXPECT_EQ(ratio_of_means(std::vector<double>{3, 3}, std::vector<double>{2, 2}).high, 1.5);
}

TEST(Statistics, TheIntervalOfARatioHoldsTheTruthAboutAsOftenAsItSays) {
  // 2000 ratios of means of five normals, true ratio 2, spread 5 % and 20 %. A share of 0.95 has a standard
  // error of 0.0049; the delta method itself is off by a little, so 0.93 .. 0.97.
  std::mt19937_64 bits(3);
  const auto uniform = [&] { return (static_cast<double>(bits() >> 11) + 0.5) * 0x1p-53; };
  const auto normal = [&] {
    return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * 3.14159265358979 * uniform());
  };
  int holds = 0;
  for (int round = 0; round < 2000; ++round) {
    std::vector<double> a, b;
    for (int i = 0; i < 5; ++i) {
      a.push_back(20 * (1 + 0.2 * normal()));
      b.push_back(10 * (1 + 0.05 * normal()));
    }
    const Interval ratio = ratio_of_means(a, b);
    holds += ratio.low <= 2 && 2 <= ratio.high ? 1 : 0;
  }
  EXPECT_GT(holds, 1860);
  EXPECT_LT(holds, 1940);
}

TEST(Statistics, ThePairedTTestGivesThePValueOfStudentsOwnExample) {
  // Additional hours of sleep by two drugs, ten patients (Student 1908): t = 4.0621, 9 degrees of freedom.
  const std::vector<double> differences{1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4};
  EXPECT_NEAR(paired_t_p_value(differences), 0.002833, 5e-7);
  std::vector<double> negative = differences;
  for (double& difference : negative) difference = -difference;
  EXPECT_EQ(paired_t_p_value(negative), paired_t_p_value(differences)) << "two-sided";
}

TEST(Statistics, ThePValueIsFivePercentWhereTheIntervalEndsAtZero) {
  const std::vector<double> values{1, 2, 3, 4};
  const double half = interval_of(values).high - 2.5;
  for (const double end : {0.999 * half, 1.001 * half}) {
    std::vector<double> shifted;
    for (const double value : values) shifted.push_back(value - 2.5 + end);
    EXPECT_EQ(paired_t_p_value(shifted) < 0.05, interval_of(shifted).low > 0);
    EXPECT_NEAR(paired_t_p_value(shifted), 0.05, 2e-4);
  }
}

TEST(Statistics, NoDifferenceHasPValueOneAndOneReplicationHasNone) {
  EXPECT_EQ(paired_t_p_value(std::vector<double>{0, 0, 0}), 1);
  EXPECT_LT(paired_t_p_value(std::vector<double>{0.1, 0.1, 0.1}), 1e-15);
  EXPECT_TRUE(std::isnan(paired_t_p_value(std::vector<double>{0.1})));
}

TEST(Statistics, HolmStepsDownFromTheSmallestPValue) {
  // By hand: 0.005 · 4, 0.01 · 3, 0.03 · 2, and 0.04 · 1, which is raised to the one before it.
  const std::vector<double> adjusted = holm_adjusted(std::vector<double>{0.01, 0.04, 0.03, 0.005});
  const std::vector<double> expected{0.03, 0.06, 0.06, 0.02};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_DOUBLE_EQ(adjusted[i], expected[i]) << i;
}

TEST(Statistics, HolmLiesBetweenTheRawPValueAndBonferroniKeepsTheOrderAndIsBonferroniForTheSmallest) {
  std::mt19937 coins(7);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<double> raw(1 + coins() % 40);
    for (double& p : raw) p = std::pow(static_cast<double>(coins() % 1001) / 1000, 4);
    const std::vector<double> adjusted = holm_adjusted(raw);
    const auto m = static_cast<double>(raw.size());
    for (std::size_t i = 0; i < raw.size(); ++i) {
      EXPECT_GE(adjusted[i], raw[i]);
      EXPECT_LE(adjusted[i], std::min(1.0, m * raw[i]));
      for (std::size_t j = 0; j < raw.size(); ++j)
        EXPECT_TRUE(raw[i] >= raw[j] || adjusted[i] <= adjusted[j]);
    }
    const auto smallest = static_cast<std::size_t>(std::min_element(raw.begin(), raw.end()) - raw.begin());
    EXPECT_EQ(adjusted[smallest], std::min(1.0, m * raw[smallest]));
  }
}

TEST(Statistics, WhatWasNotTestedDoesNotCountForHolm) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> adjusted = holm_adjusted(std::vector<double>{none, 0.02, none, 0.5});
  EXPECT_DOUBLE_EQ(adjusted[1], 0.04);
  EXPECT_DOUBLE_EQ(adjusted[3], 0.5);
  EXPECT_TRUE(std::isnan(adjusted[0]) && std::isnan(adjusted[2]));
  EXPECT_TRUE(holm_adjusted({}).empty());
}

TEST(Statistics, HolmKeepsTheFamilyErrorAtTheLevelWhereNothingDiffers) {
  // 20 true null hypotheses with uniform p values: P(any adjusted <= 0.05) = 1 - 0.9975^20 = 0.0488. Over
  // 4000 families the share has a standard error of 0.0034. Raw p values give 1 - 0.95^20 = 0.642.
  std::mt19937 coins(11);
  int families_with_a_mark = 0, families_with_a_raw_mark = 0;
  for (int family = 0; family < 4000; ++family) {
    std::vector<double> p(20);
    for (double& value : p) value = (static_cast<double>(coins()) + 0.5) / 4294967296.0;
    const std::vector<double> adjusted = holm_adjusted(p);
    families_with_a_mark += *std::min_element(adjusted.begin(), adjusted.end()) <= 0.05 ? 1 : 0;
    families_with_a_raw_mark += *std::min_element(p.begin(), p.end()) <= 0.05 ? 1 : 0;
  }
  EXPECT_NEAR(families_with_a_mark / 4000.0, 0.0488, 4 * 0.0034);
  EXPECT_NEAR(families_with_a_raw_mark / 4000.0, 0.642, 4 * 0.0076)
      << "what must be seen if nothing is adjusted";
}

}  // namespace
}  // namespace dspark
