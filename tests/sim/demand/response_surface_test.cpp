#include "sim/demand/response_surface.h"

#include <gmock/gmock.h>

#include <random>

#include "tests/sim/demand/sampled_surface.h"

namespace dspark {
namespace {

using ::testing::HasSubstr;
using testing::sampled;
using testing::sampled_surface;
using testing::saturating;
using testing::spread_loads;

TEST(ResponseSurface, PassesThroughItsPointsAndIsMonotoneBetweenThem) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 50; ++round) {
    // Steps of any size, some of them none: what cubics without care overshoot.
    double throughput = 100, speed = 100, load = 1;
    std::vector<SurfacePoint> points;
    for (int i = 0; i < 8; ++i) {
      points.push_back(sampled(saturating(1, 1), {load}).front());
      points.back().columns[kThroughput].mean = throughput;
      points.back().columns[kUserSpeed].mean = speed;
      points.back().columns[kRequestRate].mean = throughput / 7;
      throughput *= 1 + static_cast<double>(random() % 3) * static_cast<double>(random() % 100) / 30;
      speed /= 1 + static_cast<double>(random() % 3) * static_cast<double>(random() % 100) / 90;
      load *= 1.1 + static_cast<double>(random() % 100) / 50;
    }
    const auto surface = ResponseSurface::of("random", "users", points);
    ASSERT_TRUE(surface) << round;
    for (const SurfacePoint& point : points) {
      EXPECT_NEAR(surface->at(kThroughput, point.load) / point.columns[kThroughput].mean, 1, 1e-12);
      EXPECT_NEAR(surface->at(kUserSpeed, point.load) / point.columns[kUserSpeed].mean, 1, 1e-12);
    }
    double before = 0, speed_before = 1e9;
    for (const double x : spread_loads(1, load, 400)) {
      EXPECT_GE(surface->at(kThroughput, x), before * (1 - 1e-12)) << round;
      EXPECT_LE(surface->at(kUserSpeed, x), speed_before * (1 + 1e-12)) << round;
      before = surface->at(kThroughput, x), speed_before = surface->at(kUserSpeed, x);
    }
  }
}

TEST(ResponseSurface, ErrorCoversWhatInterpolationGetsWrongAndShrinksWithTheLoads) {
  const auto formula = saturating(200, 60);
  double largest_before = 1;
  for (const int count : {6, 11, 21, 41}) {
    const auto surface = sampled_surface(formula, spread_loads(1, 256, count));
    double largest = 0;
    for (const double x : spread_loads(1, 256, 997)) {
      const double wrong = std::abs(surface->at(kThroughput, x) - formula.throughput(x));
      const double said = surface->error(kThroughput, x).total();
      EXPECT_LE(wrong, said + 1e-9 * formula.throughput(x)) << count << " loads, at " << x;
      largest = std::max(largest, said / formula.throughput(x));
    }
    EXPECT_LT(largest, 0.5 * largest_before) << count;
    largest_before = largest;
  }
}

TEST(ResponseSurface, StandardErrorsAreInterpolatedAndTotalsAreSumsOfSquares) {
  const auto surface = sampled_surface(saturating(200, 60), {1, 4, 16, 64, 256}, 0.01);
  EXPECT_NEAR(surface->error(kThroughput, 16).standard, 0.01 * surface->at(kThroughput, 16), 1e-9);
  EXPECT_EQ(surface->error(kThroughput, 16).interpolation, 0);
  const SurfaceError between = surface->error(kThroughput, 32);
  EXPECT_GT(between.standard, surface->error(kThroughput, 16).standard);
  EXPECT_LT(between.standard, surface->error(kThroughput, 64).standard);
  EXPECT_NEAR(between.total(), std::hypot(between.standard, between.interpolation), 1e-12);
}

TEST(ResponseSurface, NeighboursThatPassOneAnotherWithinTheirNoiseShareTheirMean) {
  auto points = sampled(saturating(200, 60), {1, 4, 16, 64, 256}, 0.01);
  const double mean = 3000;
  points[2].columns[kThroughput] = {mean + 20, 15};
  points[3].columns[kThroughput] = {mean - 20, 15};
  const auto surface = ResponseSurface::of("noisy", "users", points);
  ASSERT_TRUE(surface);
  EXPECT_NEAR(surface->at(kThroughput, 16), mean, 1e-6);
  EXPECT_NEAR(surface->at(kThroughput, 64), mean, 1e-6);
  // Weights are inverse variances: with three times the error the second counts a ninth.
  points[3].columns[kThroughput].standard_error = 45;
  EXPECT_NEAR(ResponseSurface::of("noisy", "users", points)->at(kThroughput, 16), mean + 20 - 40 * 0.1, 1e-6);
}

TEST(ResponseSurface, WhatIsNotMonotoneBeyondItsNoiseIsRefused) {
  auto points = sampled(saturating(200, 60), {1, 4, 16, 64, 256}, 1e-4);
  points[3].columns[kUserSpeed].mean = 1.05 * points[2].columns[kUserSpeed].mean;
  const auto surface = ResponseSurface::of("dspark", "users", points);
  ASSERT_FALSE(surface);
  EXPECT_THAT(to_string(surface.error()), HasSubstr("dspark: the user speed does not fall with the load"));
  auto falling = sampled(saturating(200, 60), {1, 4, 16, 64});
  const double there = falling[2].columns[kThroughput].mean;
  falling[3].columns[kThroughput].mean = 0.98 * there;
  EXPECT_FALSE(ResponseSurface::of("formula", "users", falling));
  // A dip of 0.2 % is taken for a step of padded batches: half of it off each side, and counted as error.
  falling[3].columns[kThroughput].mean = 0.998 * there;
  const auto dip = ResponseSurface::of("padded", "users", falling);
  ASSERT_TRUE(dip);
  EXPECT_NEAR(dip->at(kThroughput, 64), 0.999 * there, 1e-5 * there);
  EXPECT_NEAR(dip->error(kThroughput, 64).total(), 0.001 * there, 1e-5 * there);
}

TEST(ResponseSurface, WhatIsNoSurfaceIsRefused) {
  const auto error = [](std::vector<SurfacePoint> points) {
    const auto surface = ResponseSurface::of("k", "users", std::move(points));
    return surface ? std::string() : to_string(surface.error());
  };
  const auto formula = saturating(200, 60);
  EXPECT_EQ(error(sampled(formula, {1, 2, 4, 8})), "");
  EXPECT_THAT(error(sampled(formula, {1, 2, 4})), HasSubstr("takes 4 loads or more, not 3"));
  EXPECT_THAT(error(sampled(formula, {1, 4, 2, 8})), HasSubstr("positive and rise"));
  EXPECT_THAT(error(sampled(formula, {0, 2, 4, 8})), HasSubstr("positive and rise"));
  auto points = sampled(formula, {1, 2, 4, 8});
  points[1].columns[kTimeToFirst].mean = std::nan("");
  EXPECT_THAT(error(points), HasSubstr("no usable time to the first token at 2 users"));
}

TEST(ResponseSurface, LoadsAreFoundBySpeedAndByThroughputAndOnlyWhereTheyWereSimulated) {
  const auto formula = saturating(200, 60);
  const auto surface = sampled_surface(formula, spread_loads(1, 256, 40));
  for (const double x : {1.0, 1.7, 10.0, 80.0, 255.0, 256.0}) {
    EXPECT_NEAR(*surface->load_with_user_speed(formula.user_speed(x)) / x, 1, 2e-3);
    EXPECT_NEAR(*surface->load_with_throughput(formula.throughput(x)) / x, 1, 2e-3);
    const double there = *surface->load_with_throughput(0.9 * formula.throughput(x));
    EXPECT_NEAR(surface->at(kThroughput, there), std::max(0.9 * formula.throughput(x), formula.throughput(1)),
                1e-9 * formula.throughput(x));
  }
  EXPECT_FALSE(surface->load_with_user_speed(201));
  EXPECT_FALSE(surface->load_with_user_speed(0.99 * formula.user_speed(256)));
  EXPECT_FALSE(surface->load_with_throughput(1.01 * formula.throughput(256)));
  EXPECT_EQ(*surface->load_with_throughput(1), 1);
}

}  // namespace
}  // namespace dspark
