#include "sim/demand/uncertain_value.h"

#include <gmock/gmock.h>

#include <boost/math/distributions/lognormal.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/triangular.hpp>

#include "tests/sim/demand/flow_market.h"

namespace dspark {
namespace {

using ::testing::HasSubstr;

UncertainValue value_of(const std::string& text) {
  const Value value = testing::FlowReader(text).value();
  EXPECT_TRUE(UncertainValue::is_one(value)) << text;
  auto read = UncertainValue::read(value);
  EXPECT_TRUE(read) << text;
  return *read;
}
std::string error_of(const std::string& text) {
  const auto read = UncertainValue::read(testing::FlowReader(text).value());
  return read ? "" : read.error().message;
}

constexpr double kShares[] = {1e-6, 0.05, 0.3, 0.5, 0.77, 0.95, 1 - 1e-6};

TEST(UncertainValue, QuantilesAreThoseOfTheDistributions) {
  const boost::math::normal normal(1.5, 0.2);
  const boost::math::lognormal lognormal(std::log(0.5), 0.4);
  const boost::math::triangular triangular(0.3, 0.8, 1);
  for (const double u : kShares) {
    EXPECT_NEAR(value_of("{uniform: [0.2, 1.2]}").quantile(u), 0.2 + u, 1e-14);
    EXPECT_NEAR(value_of("{normal: {mean: 1.5, sd: 0.2}}").quantile(u), quantile(normal, u), 1e-12);
    EXPECT_NEAR(value_of("{lognormal: {median: 0.5, sigma: 0.4}}").quantile(u), quantile(lognormal, u),
                1e-12);
    EXPECT_NEAR(value_of("{triangular: [0.3, 0.8, 1]}").quantile(u), quantile(triangular, u), 1e-12);
  }
}

TEST(UncertainValue, TruncationScalesWhatIsLeft) {
  const boost::math::normal normal(0.5, 0.4);
  UncertainValue value = value_of("{normal: {mean: 0.5, sd: 0.4}}");
  const double below = cdf(normal, 0), above = cdf(complement(normal, 1));
  EXPECT_NEAR(value.truncate(0, 1), below + above, 1e-14);
  for (const double u : kShares) {
    const double x = value.quantile(u);
    EXPECT_GE(x, 0);
    EXPECT_LE(x, 1);
    EXPECT_NEAR((cdf(normal, x) - below) / (1 - below - above), u, 1e-12);
  }
  EXPECT_EQ(value_of("{normal: {mean: 1.5, sd: 0.01}}").truncate(0, 100), 0);
  EXPECT_EQ(value_of("{lognormal: {median: 1, sigma: 1}}").truncate(0, kUnbounded), 0);
}

TEST(UncertainValue, EntriesAreEquallyLikelyInTheOrderWritten) {
  const UncertainValue value = value_of("{any_of: [inelastic, nber, 0.7, elastic]}");
  EXPECT_EQ(*value.at(0.01).scalar(), "inelastic");
  EXPECT_EQ(*value.at(0.25).scalar(), "inelastic");
  EXPECT_EQ(*value.at(0.26).scalar(), "nber");
  EXPECT_EQ(*value.at(0.5).scalar(), "nber");
  EXPECT_EQ(*value.at(0.51).scalar(), "0.7");
  EXPECT_EQ(*value.at(0.99).scalar(), "elastic");
}

TEST(UncertainValue, WhatIsNoDistributionIsRefused) {
  EXPECT_THAT(error_of("{uniform: [1.2, 0.2]}"), HasSubstr("must rise"));
  EXPECT_THAT(error_of("{uniform: [1, 1]}"), HasSubstr("must differ"));
  EXPECT_THAT(error_of("{uniform: [1]}"), HasSubstr("[least, most]"));
  EXPECT_THAT(error_of("{triangular: [0, x, 1]}"), HasSubstr("[least, mode, most]"));
  EXPECT_THAT(error_of("{normal: {mean: 1, sd: 0}}"), HasSubstr("'sd' must be"));
  EXPECT_THAT(error_of("{normal: {mean: 1}}"), HasSubstr("'sd'"));
  EXPECT_THAT(error_of("{lognormal: [1, 2]}"), HasSubstr("must be a map"));
  EXPECT_THAT(error_of("{any_of: []}"), HasSubstr("1 to 1000 entries"));
}

}  // namespace
}  // namespace dspark
