#include "executor/runner/round_acceptance.h"

#include <gtest/gtest.h>

namespace dspark {
namespace {

TEST(TrueAcceptance, IsTheOverlapOfTheTwoDistributions) {
  const std::vector<float> target = {0.5f, 0.25f, 0.25f}, draft = {0.25f, 0.25f, 0.5f};
  EXPECT_DOUBLE_EQ(true_acceptance(target, draft), 0.75);  // 1 - ½ (¼ + 0 + ¼)
  EXPECT_DOUBLE_EQ(true_acceptance(target, target), 1);
  EXPECT_DOUBLE_EQ(true_acceptance(std::vector<float>{1, 0}, std::vector<float>{0, 1}), 0);
}

}  // namespace
}  // namespace dspark
