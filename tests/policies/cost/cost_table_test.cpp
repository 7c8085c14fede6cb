#include "policies/cost/cost_table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace dspark {
namespace {

using Points = std::vector<CostTable::Point>;

CostTable made(Points points, CostTable::Options options = {}) {
  Result<CostTable> table = CostTable::make(std::move(points), options, "verify");
  EXPECT_TRUE(table) << (table ? "" : to_string(table.error()));
  return *std::move(table);
}
std::string refusal(Points points, CostTable::Options options = {}) {
  const Result<CostTable> table = CostTable::make(std::move(points), options, "verify");
  return table ? "" : to_string(table.error());
}

TEST(CostTable, ASizeCostsWhatTheNextMeasuredSizeCosts) {
  const CostTable table = made({{4, 1.0}, {8, 1.5}, {16, 4.0}});
  EXPECT_EQ(table.capture_limit(), 16);
  for (const int size : {0, 1, 4}) EXPECT_EQ(table.seconds(size), 1.0);
  for (const int size : {5, 8}) EXPECT_EQ(table.seconds(size), 1.5);
  for (const int size : {9, 16}) EXPECT_EQ(table.seconds(size), 4.0);
}

TEST(CostTable, BeyondTheLastSizeTheSlopeOfTheLastTwoPointsGoesOn) {
  const CostTable table = made({{4, 1.0}, {8, 1.5}, {16, 4.0}});
  EXPECT_DOUBLE_EQ(table.seconds(17), 4.0 + 2.5 / 8);
  EXPECT_DOUBLE_EQ(table.seconds(32), 4.0 + 16 * 2.5 / 8);
  EXPECT_EQ(table.seconds(32, CostForm::kHull), table.seconds(32));
  const CostTable falling = made({{4, 1.0}, {8, 2.0}, {16, 1.5}});
  EXPECT_EQ(falling.seconds(1000), 1.5) << "never below the last value";
}

TEST(CostTable, CapturedSizesHoldUpToAndIncludingThemselves) {
  const CostTable table = made({{4, 1.0}, {8, 1.5}, {16, 4.0}}, {.capture_limit = 8});
  EXPECT_EQ(table.captured_size(1), 4);
  EXPECT_EQ(table.captured_size(4), 4);
  EXPECT_EQ(table.captured_size(5), 8);
  EXPECT_EQ(table.captured_size(9), 9) << "beyond the captured graphs nothing is padded";
  EXPECT_EQ(table.captured_size(99), 99);
}

TEST(CostTable, ATableThatFallsOverAllIsRefused) {
  const auto table = CostTable::make({{1, 3.0}, {2, 2.0}, {4, 1.0}}, {}, "verify");
  ASSERT_FALSE(table);
  EXPECT_NE(to_string(table.error()).find("largest size costs less than the smallest"), std::string::npos);
}

TEST(CostTable, BeyondTheCaptureLimitItIsFlatToTheFirstSizeAndThenLinear) {
  const CostTable table = made({{512, 1}, {1024, 2}, {1536, 10}, {2048, 12}}, {.capture_limit = 1024});
  EXPECT_EQ(table.seconds(1024), 2);
  for (const int size : {1025, 1300, 1536}) EXPECT_EQ(table.seconds(size), 10) << "the cliff";
  EXPECT_DOUBLE_EQ(table.seconds(1792), 11);
  EXPECT_DOUBLE_EQ(table.seconds(2560), 14);
  for (const int size : {1025, 1536, 1792, 4000})
    EXPECT_EQ(table.seconds(size, CostForm::kHull), table.seconds(size));
}

TEST(CostTable, TheHullIsTheLargestConvexMinorantOfTheStaircase) {
  std::mt19937 random(7);
  for (int trial = 0; trial < 200; ++trial) {
    Points points;
    double size = 0;
    double seconds = 1;
    for (int i = 0; i < 12; ++i) {
      size += 1 + static_cast<double>(random() % 9);
      seconds += static_cast<double>(random() % 100) / 37;
      points.push_back({size, seconds});
    }
    const double limit = points[8].size;
    const CostTable table = made(points, {.capture_limit = limit});
    const int last = static_cast<int>(limit);
    const auto hull = [&](int s) { return table.seconds(s, CostForm::kHull); };
    int touches = 0;
    for (int s = 1; s <= last; ++s) {
      EXPECT_LE(hull(s), table.seconds(s)) << "below, trial " << trial << " size " << s;
      if (s > 1 && s < last) {
        EXPECT_LE(2 * hull(s), hull(s - 1) + hull(s + 1) + 1e-12)
            << "convex, trial " << trial << " size " << s;
        const double bend = hull(s - 1) + hull(s + 1) - 2 * hull(s);
        EXPECT_TRUE(bend < 1e-9 || std::abs(hull(s) - table.seconds(s)) < 1e-12)
            << "bends only where it touches";
      }
      touches += hull(s) == table.seconds(s);
    }
    EXPECT_GE(touches, 2);
    EXPECT_EQ(hull(1), table.seconds(1));
    EXPECT_DOUBLE_EQ(hull(last), table.seconds(last));
  }
}

TEST(CostTable, TheHullOfATableThatFallsFirstIsConvexToo) {
  const CostTable table = made({{4, 5}, {8, 3}, {16, 9}});
  const auto hull = [&](int s) { return table.seconds(s, CostForm::kHull); };
  for (int s = 2; s < 16; ++s) EXPECT_LE(2 * hull(s), hull(s - 1) + hull(s + 1) + 1e-12);
}

TEST(CostTable, ARunningMaximumNeverLetsALargerSizeCostLess) {
  const Points noisy = {{1, 1.0}, {2, 1.2}, {4, 1.1}, {8, 2.0}};
  EXPECT_EQ(made(noisy).seconds(4), 1.1);
  EXPECT_EQ(made(noisy, {.running_maximum = true}).seconds(4), 1.2);
}

TEST(CostTable, TablesThatWouldMisleadAreRefused) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(refusal({}), "cost table 'verify': 0 measured sizes (at least two are needed)");
  EXPECT_EQ(refusal({{1, 1}}), "cost table 'verify': 1 measured sizes (at least two are needed)");
  EXPECT_EQ(refusal({{1.5, 1}, {2, 2}}),
            "cost table 'verify': size 1.5 is not a whole number in 1 .. 1048576");
  EXPECT_EQ(refusal({{0, 1}, {2, 2}}), "cost table 'verify': size 0 is not a whole number in 1 .. 1048576");
  EXPECT_EQ(refusal({{nan, 1}, {2, 2}}),
            "cost table 'verify': size nan is not a whole number in 1 .. 1048576");
  EXPECT_EQ(refusal({{2, 1}, {2, 2}}),
            "cost table 'verify': size 2 comes after size 2 (sizes must increase from row to row)");
  EXPECT_EQ(refusal({{1, 0}, {2, 2}}),
            "cost table 'verify': size 1 costs 0 seconds (a cost must be finite and above 0)");
  EXPECT_EQ(refusal({{1, 1}, {2, nan}}),
            "cost table 'verify': size 2 costs nan seconds (a cost must be finite and above 0)");
  EXPECT_EQ(
      refusal({{1, 3}, {2, 3}}),
      "cost table 'verify': every size costs the same (such a table would mean: verify everything, always)");
  EXPECT_EQ(
      refusal({{1, 3}, {2, 1}}, {.running_maximum = true}),
      "cost table 'verify': every size costs the same (such a table would mean: verify everything, always)");
}

TEST(CostTable, TheCaptureLimitIsOneOfTheMeasuredSizes) {
  const Points points = {{4, 1}, {8, 2}};
  EXPECT_EQ(
      refusal(points, {.capture_limit = 6}),
      "cost table 'verify': the capture limit 6 is not one of the measured sizes (the nearest are 4 and 8)");
  EXPECT_EQ(refusal(points, {.capture_limit = 2}),
            "cost table 'verify': the capture limit 2 is not one of the measured sizes (the smallest is 4)");
  EXPECT_EQ(refusal(points, {.capture_limit = 9}),
            "cost table 'verify': the capture limit 9 is not one of the measured sizes (the largest is 8)");
}

}  // namespace
}  // namespace dspark
