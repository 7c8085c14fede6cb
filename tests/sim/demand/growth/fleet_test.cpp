#include "sim/demand/growth/fleet.h"

#include <gtest/gtest.h>

#include <limits>

namespace dspark {
namespace {

GrowthPlan two_generations() {
  GrowthPlan plan;
  plan.generations = {{"old"}, {"new", 1, 4, 2, 3}};
  return plan;
}

TEST(Fleet, AgesOfTheFirstGpusAreSpreadOverTheirLife) {
  GrowthPlan plan = two_generations();
  plan.life_epochs = 4;
  const Fleet fleet(plan, 100);
  for (const auto& [epoch, gpus] : {std::pair{0, 100.0}, {1, 75.0}, {2, 50.0}, {3, 25.0}, {4, 0.0}})
    EXPECT_NEAR(fleet.size(epoch).gpus, gpus, 1e-12) << epoch;
}

TEST(Fleet, WhatRetiresBeforeTheFirstOrderCanArriveWasReplaced) {
  GrowthPlan plan = two_generations();
  plan.life_epochs = 4, plan.lead_epochs = 3;
  const Fleet fleet(plan, 100);
  for (const int epoch : {0, 1, 2}) EXPECT_NEAR(fleet.size(epoch).gpus, 100, 1e-12) << epoch;
  EXPECT_NEAR(fleet.size(3).gpus, 75, 1e-12);
}

TEST(Fleet, OrdersAreOfTheGenerationOnSaleAndArriveLater) {
  const GrowthPlan plan = two_generations();  // quarters: the new one is on sale from epoch 4 on
  Fleet fleet(plan, 10);
  fleet.order(3, 5, 8);
  fleet.order(4, 5, 8);
  EXPECT_EQ(fleet.size(4).equivalents, 10);
  const Fleet::Size size = fleet.size(5);
  EXPECT_NEAR(size.equivalents, 10 + 8 + 8, 1e-12);
  EXPECT_NEAR(size.gpus, 10 + 8 + 2, 1e-12);
  EXPECT_NEAR(size.dollars, 10 + 8 + 2 * 2, 1e-12);
  EXPECT_NEAR(size.watts, 10 + 8 + 2 * 3, 1e-12);
}

TEST(Fleet, GivesBackTheLeastGainPerDollarFirst) {
  const GrowthPlan plan = two_generations();
  Fleet fleet(plan, 10);
  fleet.order(4, 4, 8);  // 2 GPUs of gain 4
  fleet.release(4, 12);
  EXPECT_NEAR(fleet.size(4).gpus, 4 + 2, 1e-12);
  fleet.release(4, 6);
  EXPECT_NEAR(fleet.size(4).gpus, 1.5, 1e-12);
}

TEST(Fleet, CapsLeaveRoomForNewGpusOnly) {
  GrowthPlan plan = two_generations();
  const Fleet fleet(plan, 10);
  EXPECT_EQ(fleet.room(0, 0, 0.7), std::numeric_limits<double>::infinity());
  plan.most_gpus = 13;
  EXPECT_NEAR(Fleet(plan, 10).room(0, 0, 0.7), 3, 1e-12);
  EXPECT_NEAR(Fleet(plan, 10).room(4, 4, 0.7), 12, 1e-12);
  plan.most_kilowatts = 0.7 * 16;  // 6 of the file's machine, or 2 of the new one with three times its watts
  EXPECT_NEAR(Fleet(plan, 10).room(4, 4, 0.7), 8, 1e-12);
  EXPECT_EQ(Fleet(plan, 20).room(4, 4, 0.7), 0);
}

}  // namespace
}  // namespace dspark
