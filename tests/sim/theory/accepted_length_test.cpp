// Accepted length and throughput where every token is accepted with the same probability a [Leviathan 2023]:
// τ(a, k) = (1 - a^(k+1)) / (1 - a) tokens a round, N·τ/T tokens a second for N users and steps of T seconds.
#include <gtest/gtest.h>

#include "tests/sim/theory/endless_replies.h"
#include "tests/sim/theory/geometric.h"
#include "tests/sim/theory/planted.h"
#include "tests/sim/theory/standard_error.h"

namespace dspark {
namespace {

using testing::accepted_length;
using testing::AnchorsForNothing;
using testing::around;
using testing::deviation;
using testing::EndlessReplies;
using testing::estimate;
using testing::GoesOnBehindARejection;
using testing::kStandardErrors;
using testing::ResidualAfterAWholeBlock;

/// One way to spoil the system under a law.
using Mutation = std::function<void(EndlessReplies&)>;

EndlessReplies fixed_depth(double a, int k, const Mutation& mutate) {
  EndlessReplies scene{.users = 32, .rounds = 1500};
  scene.accept(a);
  scene.use("fixed", std::to_string(k));
  if (mutate) mutate(scene);
  return scene;
}

/// Standard errors between the engine's accepted length and the closed form.
double off_the_accepted_length(double a, int k, const Mutation& mutate = nullptr) {
  EndlessReplies scene = fixed_depth(a, k, mutate);
  return deviation(estimate(scene.play().tokens), accepted_length(a, k));
}

/// The same for the throughput. T = bias + seconds for each of the N·(1 + k) rows.
double off_the_throughput(double a, int k, const Mutation& mutate = nullptr) {
  EndlessReplies scene = fixed_depth(a, k, nullptr);
  const int users = scene.users;
  const AffineCost& cost = scene.system.cost_parts.verify_affine;
  const double step = cost.bias_seconds + cost.seconds_per_token * users * (1 + k);
  if (mutate) mutate(scene);
  auto measured = estimate(scene.play().token_rate);  // of one user
  return deviation(measured, accepted_length(a, k) / step);
}

const std::vector<std::pair<double, int>> kCases = {{0.5, 1}, {0.5, 4}, {0.8, 3}, {0.8, 7}, {0.95, 12}};

void lose_the_bonus(EndlessReplies& scene) {
  scene.system.runner_around = around<ResidualAfterAWholeBlock>();
}
void go_on(EndlessReplies& scene) { scene.system.runner_around = around<GoesOnBehindARejection>(); }
/// One draft token more than the policy was told to verify.
void off_by_one(EndlessReplies& scene) {
  scene.use("fixed", std::to_string(std::stoi(scene.system.policy_value) + 1));
}
void free_anchors(EndlessReplies& scene) {
  scene.system.runner_around =
      around<AnchorsForNothing>(scene.system.cost_parts.verify_affine.seconds_per_token);
}

TEST(AcceptedLength, IsGeometricAtAFixedDepth) {
  for (const auto& [a, k] : kCases) {
    EXPECT_LE(off_the_accepted_length(a, k), kStandardErrors) << "a " << a << " k " << k;
  }
}

TEST(AcceptedLength, ALostBonusTokenAWrongRejectionAndADepthOffByOneAreSeen) {
  for (const auto& [a, k] : kCases) {
    SCOPED_TRACE(::testing::Message() << "a " << a << " k " << k);
    EXPECT_GT(off_the_accepted_length(a, k, lose_the_bonus), kStandardErrors);
    EXPECT_GT(off_the_accepted_length(a, k, off_by_one), kStandardErrors);
    if (k > 1) {  // a block of one token has nothing behind its rejection
      EXPECT_GT(off_the_accepted_length(a, k, go_on), kStandardErrors);
    }
  }
}

TEST(ClosedLoopThroughput, IsUsersTimesAcceptedLengthOverStepTime) {
  for (const auto& [a, k] : kCases) {
    EXPECT_LE(off_the_throughput(a, k), kStandardErrors) << "a " << a << " k " << k;
  }
}

TEST(ClosedLoopThroughput, FreeAnchorsALostUserAndADepthOffByOneAreSeen) {
  for (const auto& [a, k] : kCases) {
    SCOPED_TRACE(::testing::Message() << "a " << a << " k " << k);
    EXPECT_GT(off_the_throughput(a, k, free_anchors), kStandardErrors);
    EXPECT_GT(off_the_throughput(a, k, off_by_one), kStandardErrors);
    EXPECT_GT(off_the_throughput(a, k, [](EndlessReplies& scene) { scene.users /= 2; }), kStandardErrors);
  }
}

}  // namespace
}  // namespace dspark
