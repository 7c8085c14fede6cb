#include "policies/calibration/acceptance_by_position.h"

#include <gtest/gtest.h>

namespace dspark {
namespace {

StepOutcome outcome(const std::vector<int>& verified, const std::vector<int>& accepted) {
  StepOutcome outcome;
  outcome.verified = verified;
  outcome.accepted = accepted;
  return outcome;
}

TEST(AcceptanceByPosition, CountsWhatIsKnownAndNothingBehindARejectionOrACut) {
  AcceptanceByPosition learner(3);
  EXPECT_DOUBLE_EQ(learner.confidence(1), 0.82) << "before anything is known";
  // Three rounds: all accepted up to a cut at 2, rejected at 1, accepted 1 and rejected at 2.
  const std::vector<int> verified{2, 3, 3}, accepted{2, 0, 1};
  learner.observe(outcome(verified, accepted));
  EXPECT_DOUBLE_EQ(learner.confidence(1), (2 + 16.4) / (3 + 20));
  EXPECT_DOUBLE_EQ(learner.confidence(2), (1 + 16.4) / (2 + 20));
  EXPECT_DOUBLE_EQ(learner.confidence(3), 0.82) << "never seen";
}

TEST(AcceptanceByPosition, ApproachesTheConditionalAcceptance) {
  AcceptanceByPosition learner(2);
  const std::vector<int> verified(10, 2);
  const std::vector<int> accepted{0, 0, 0, 0, 1, 1, 1, 1, 2, 2};  // 0.6, and of those a third
  for (int step = 0; step < 1000; ++step) learner.observe(outcome(verified, accepted));
  EXPECT_NEAR(learner.confidence(1), 0.6, 0.001);
  EXPECT_NEAR(learner.confidence(2), 1.0 / 3, 0.002);
}

TEST(AcceptanceByPosition, IsTheSameForAllRequestsAndZeroBehindABlocksEnd) {
  AcceptanceByPosition learner(2);
  const std::vector<int> drafted{2, 1};
  std::vector<float> confidence{0.1f, 0.9f, -1, -1, 0.3f, 0.4f, -1, -1};
  learner.apply({.stride = 4, .drafted = drafted, .confidence = confidence}, 2, confidence);
  EXPECT_FLOAT_EQ(confidence[0], 0.82f);
  EXPECT_FLOAT_EQ(confidence[1], 0.82f);
  EXPECT_FLOAT_EQ(confidence[4], 0.82f);
  EXPECT_EQ(confidence[5], 0) << "only one was drafted";
  EXPECT_EQ(confidence[2], -1) << "not a request of the step";
}

}  // namespace
}  // namespace dspark
