#include "sim/demand/growth/diffusion.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/sim/demand/flow_market.h"

namespace dspark {
namespace {

Diffusion diffusion(const std::string& text) {
  Parameters parameters(testing::FlowReader("{adoption: " + text + "}").value());
  const Diffusion read(parameters, "adoption", "");
  parameters.finish();
  for (const Error& error : parameters.errors()) ADD_FAILURE() << to_string(error);
  return read;
}

TEST(Diffusion, BassSolvesItsDifferentialEquation) {
  constexpr double kP = 0.03, kQ = 0.38, kStep = 1e-5;
  const Diffusion bass = diffusion("{bass: {from: 0.5, innovation: 0.03, imitation: 0.38}}");
  EXPECT_EQ(bass.share(0.49), 0);
  EXPECT_NEAR(bass.share(0.5), 0, 1e-15);
  for (const double t : {0.6, 1.0, 3.0, 7.0, 15.0}) {
    const double f = bass.share(t);
    const double slope = (bass.share(t + kStep) - bass.share(t - kStep)) / (2 * kStep);
    EXPECT_NEAR(slope, (kP + kQ * f) * (1 - f), 1e-8) << t;
  }
  EXPECT_NEAR(bass.share(200), 1, 1e-12);
}

TEST(Diffusion, LogisticTakesItsYearsFromATenthToNineTenths) {
  // Far from its start, where the shift to 0 is negligible.
  const Diffusion logistic = diffusion("{logistic: {from: 1, half_after: 20, years: 4}}");
  EXPECT_EQ(logistic.share(0.9), 0);
  EXPECT_NEAR(logistic.share(19), 0.1, 1e-8);
  EXPECT_NEAR(logistic.share(21), 0.5, 1e-8);
  EXPECT_NEAR(logistic.share(23), 0.9, 1e-8);
  EXPECT_NEAR(logistic.share(1e6), 1, 1e-12);
}

TEST(Diffusion, LogisticStartsAtNothingHoweverSteepItIs) {
  const Diffusion logistic = diffusion("{logistic: {half_after: 0.5, years: 2}}");
  EXPECT_NEAR(logistic.share(0), 0, 1e-15);
  double last = 0;
  for (double t = 0.1; t < 10; t += 0.1) {
    EXPECT_GT(logistic.share(t), last);
    last = logistic.share(t);
  }
}

TEST(Diffusion, AtOnceIsAStep) {
  const Diffusion step = diffusion("{at_once: {from: 2}}");
  EXPECT_EQ(step.share(1.99), 0);
  EXPECT_EQ(step.share(2), 1);
  EXPECT_EQ(Diffusion().share(0), 1);
}

}  // namespace
}  // namespace dspark
