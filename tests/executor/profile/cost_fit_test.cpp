#include "executor/profile/cost_fit.h"

#include <gtest/gtest.h>

#include <cmath>

namespace dspark {
namespace {

/// Seconds that follow a law, over a grid of sizes.
std::vector<CostPoint> points_of(double per_request, double per_context_token,
                                 const std::vector<int>& sizes = {1, 2, 4, 8, 16}) {
  std::vector<CostPoint> points;
  for (const int tokens : sizes) {
    for (const int requests : {1, 2, 4}) {
      for (const int context : {16, 256, 1024}) {
        if (requests > tokens) continue;
        const double attended = tokens * (context + 1.0);
        points.push_back(
            {tokens, requests, attended,
             5e-3 + 1e-3 * std::sqrt(tokens) + per_request * requests + per_context_token * attended});
      }
    }
  }
  return points;
}

TEST(CostFit, FindsAPlantedLaw) {
  const CostFit fit = fit_verify_cost(points_of(2e-4, 3e-8));
  EXPECT_NEAR(fit.terms.seconds_per_request, 2e-4, 1e-12);
  EXPECT_NEAR(fit.terms.seconds_per_context_token, 3e-8, 1e-15);
  ASSERT_EQ(fit.table.size(), 5u);
  for (const CostTable::Point& point : fit.table)
    EXPECT_NEAR(point.seconds, 5e-3 + 1e-3 * std::sqrt(point.size), 1e-12);
  EXPECT_LT(fit.worst_residual, 1e-9);
  EXPECT_EQ(fit.residual.size(), points_of(0, 0).size());
}

TEST(CostFit, ReportsWhatTheLawDoesNotExplain) {
  auto points = points_of(2e-4, 3e-8);
  points[7].seconds *= 1.2;
  const CostFit fit = fit_verify_cost(points);
  EXPECT_GT(fit.residual[7], 0.1);
  EXPECT_EQ(fit.worst_residual, fit.residual[7]);
  EXPECT_LT(fit.median_residual, 0.03);
}

TEST(CostFit, ATermIsNeverNegative) {
  const CostFit fewer = fit_verify_cost(points_of(-2e-4, 3e-8));
  EXPECT_EQ(fewer.terms.seconds_per_request, 0);
  EXPECT_GT(fewer.terms.seconds_per_context_token, 0);
  const CostFit shorter = fit_verify_cost(points_of(2e-4, -3e-8));
  EXPECT_EQ(shorter.terms.seconds_per_context_token, 0);
  EXPECT_GT(shorter.terms.seconds_per_request, 0);
  const CostFit neither = fit_verify_cost(points_of(-2e-4, -3e-8));
  EXPECT_EQ(neither.terms.seconds_per_request, 0);
  EXPECT_EQ(neither.terms.seconds_per_context_token, 0);
}

TEST(CostFit, WhatWasNotVariedHasNoTerm) {
  const CostFit fit = fit_verify_cost(std::vector<CostPoint>{{1, 1, 10, 1e-3}, {2, 1, 20, 2e-3}});
  EXPECT_EQ(fit.terms.seconds_per_request, 0);
  EXPECT_EQ(fit.terms.seconds_per_context_token, 0);
  EXPECT_EQ(fit.table[0].seconds, 1e-3);
  EXPECT_EQ(fit.table[1].seconds, 2e-3);
}

TEST(CostFit, TermsThatExplainMoreThanAllLeaveThePlainTable) {
  // All of a step's time is its requests', and more: the table would be negative.
  const std::vector<CostPoint> points = {{4, 1, 0, 1e-3}, {4, 4, 0, 8e-3}, {8, 1, 0, 1e-3}, {8, 4, 0, 8e-3}};
  const CostFit fit = fit_verify_cost(points);
  EXPECT_EQ(fit.terms.seconds_per_request, 0);
  for (const CostTable::Point& point : fit.table) EXPECT_GT(point.seconds, 0);
}

TEST(CostFit, ItsTableIsOneThatMachinesRead) {
  std::vector<CostPoint> falling = points_of(0, 0);
  for (CostPoint& point : falling) point.seconds = 1 / (1.0 + point.tokens);
  const CostFit fit = fit_verify_cost(falling);
  EXPECT_TRUE(CostTable::make(fit.table, {.capture_limit = 1}, "fitted"));
}

TEST(MonotoneTable, NeighboursThatFallArePooled) {
  std::vector<CostTable::Point> table = {{1, 1}, {2, 4}, {3, 2}, {4, 5}, {5, 4.5}};
  make_monotone(table, {1, 1, 3, 1, 1});
  const std::vector<double> expected = {1, 2.5, 2.5, 4.75, 4.75};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_DOUBLE_EQ(table[i].seconds, expected[i]);
}

}  // namespace
}  // namespace dspark
