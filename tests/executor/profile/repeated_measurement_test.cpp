#include "executor/profile/repeated_measurement.h"

#include <gtest/gtest.h>

namespace dspark {
namespace {

TEST(RepeatedSeconds, AreMedianMinimumAndDeviationOfTheMedian) {
  const RepeatedSeconds odd = summarise({3, 1, 10, 2, 4});
  EXPECT_EQ(odd.median, 3);
  EXPECT_EQ(odd.minimum, 1);
  EXPECT_DOUBLE_EQ(odd.noise, 1.4826 * 1 / 3) << "deviations 0, 1, 1, 2, 7";
  EXPECT_EQ(odd.repeats, 5);
  EXPECT_EQ(summarise({1, 2, 4, 8}).median, 3);
  EXPECT_EQ(summarise({2}).noise, 0);
}

/// A machine whose every measurement takes one per cent longer than the one before.
struct SlowingMachine {
  int measured = 0;
  double operator()(const ProfilePoint& point) { return point.tokens * (1 + 0.01 * measured++); }
};

TEST(GridMeasurement, DriftSpreadsOverAllPointsAndIsReported) {
  const std::vector<ProfilePoint> points = {{1, 1, 0}, {2, 1, 0}, {4, 1, 0}};
  SlowingMachine machine;
  std::vector<int> told;
  const GridMeasurement grid = measure_grid(
      points, 3, [&](const ProfilePoint& point) { return machine(point); },
      [&](int done, int of) {
        told.push_back(done);
        EXPECT_EQ(of, 3 * 4 + 2 * 5);
      });
  EXPECT_EQ(machine.measured, 22);
  EXPECT_EQ(told.back(), 22);
  // Point i is measured at 8 + i, 11 + i and 14 + i, after three of the warm-up and five of the baseline.
  for (int i = 0; i < 3; ++i) {
    const RepeatedSeconds& point = grid.points[static_cast<std::size_t>(i)];
    EXPECT_DOUBLE_EQ(point.median, points[static_cast<std::size_t>(i)].tokens * (1 + 0.01 * (11 + i)));
    EXPECT_EQ(point.repeats, 3);
  }
  EXPECT_DOUBLE_EQ(grid.drift, (1 + 0.01 * 19) / (1 + 0.01 * 5) - 1);
}

}  // namespace
}  // namespace dspark
