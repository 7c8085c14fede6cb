#include "sim/metrics/quantile_sketch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "sim/random/variates.h"

namespace dspark {
namespace {

TEST(QuantileSketch, StaysWithinItsStatedErrorOfTheExactQuantile) {
  QuantileSketch sketch;
  std::vector<double> values;
  for (std::uint32_t i = 0; i < 20000; ++i) {
    values.push_back(std::exp(4 * normal_variate({{1, 2}, Stream::kArrival, 0, i}) - 3));
    sketch.add(values.back());
  }
  std::sort(values.begin(), values.end());
  for (int per_mille = 1; per_mille <= 1000; ++per_mille) {  // many, so that all parts of a bucket are met
    const double p = per_mille / 1000.0;
    const double exact = values[static_cast<std::size_t>(std::max(0.0, std::ceil(p * 20000) - 1))];
    EXPECT_NEAR(sketch.quantile(p) / exact, 1, QuantileSketch::kRelativeError) << p;
  }
}

TEST(QuantileSketch, AWeightIsThatManyValues) {
  QuantileSketch weighted, repeated;
  for (int i = 1; i <= 10; ++i) {
    weighted.add(i, i);
    for (int n = 0; n < i; ++n) repeated.add(i);
  }
  for (const double p : {0.2, 0.5, 0.8}) EXPECT_EQ(weighted.quantile(p), repeated.quantile(p));
  EXPECT_DOUBLE_EQ(weighted.mean(), repeated.mean());
}

TEST(QuantileSketch, ExtremeValuesCountInTheOutermostBuckets) {
  QuantileSketch sketch;
  for (const double x : {0.0, 1e-300, 1e300}) sketch.add(x);
  EXPECT_EQ(sketch.weight(), 3);
  EXPECT_LE(sketch.quantile(0.1), 1e-12);
  EXPECT_GE(sketch.quantile(1), 1e11);
}

}  // namespace
}  // namespace dspark
