#include "policies/calibration/temperature_calibration.h"

#include <gtest/gtest.h>

#include <cmath>

#include "policies/calibration/temper.h"

namespace dspark {
namespace {

TEST(TemperatureCalibration, TempersByPositionAndKeepsTheLayout) {
  const TemperatureCalibration calibration({2, 0.5});
  EXPECT_EQ(calibration.signals(), static_cast<unsigned>(kConfidenceOnly));
  const std::vector<int> drafted{3, 1};
  // (3, stride 3): two requests and one row of room.
  const std::vector<float> raw{0.9f, 0.4f, 7, 0.8f, 0.6f, 7, 0.7f, 0.2f, 7};
  DraftColumns columns;
  columns.stride = 3;
  columns.drafted = drafted;
  columns.confidence = raw;
  std::vector<float> out(9, -1);
  calibration.apply(columns, 3, out);
  EXPECT_EQ(out, (std::vector<float>{temper(0.9f, 2), temper(0.4f, 2), -1, temper(0.8f, 0.5f), 0, -1,
                                     temper(0.7f, 0.5f), 0, -1}));
}

TEST(TemperatureCalibration, WorksInPlaceAndNeverLeavesTheUnitInterval) {
  const TemperatureCalibration calibration({16, 1.0 / 16, 1});
  const std::vector<int> drafted(5, 3);
  std::vector<float> values;
  for (int k = 0; k < 3; ++k) {
    for (const float c : {0.0f, 1.0f, 1e-40f, 0.99999994f, std::nanf("")}) values.push_back(c);
  }
  DraftColumns columns;
  columns.stride = 5;
  columns.drafted = drafted;
  columns.confidence = values;
  calibration.apply(columns, 3, values);
  for (const float c : values) EXPECT_TRUE(c >= 0 && c <= 1) << c;
  EXPECT_EQ(values[0], 0);
  EXPECT_EQ(values[1], 1);
}

}  // namespace
}  // namespace dspark
