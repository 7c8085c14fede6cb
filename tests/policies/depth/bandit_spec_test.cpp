#include <gmock/gmock.h>

#include "tests/policies/depth/played_step.h"

namespace dspark {
namespace {

using testing::affine_cost;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::observe;
using testing::PlayedStep;
using testing::policy;
using testing::Scene;
using ::testing::ThrowsMessage;
using testing::written;
using testing::written_list;
using testing::written_map;

/// One step without drafts takes a second.
Scene one_user() { return Scene(1, 8, affine_cost(0.5, 0.5)); }

int planned(DepthPolicy& rule, Scene& scene) {
  EXPECT_EQ(scene.plan(rule), PlanAnswer::kVerifyAll);
  EXPECT_THAT(scene.planned, Each(scene.planned[0])) << "one k for the batch";
  return scene.planned[0];
}

/// Plays the arm that is chosen now, one token in 1/speed_up seconds; the arm.
int play(DepthPolicy& rule, Scene& scene, const std::function<double(int k)>& speed_up) {
  const int k = planned(rule, scene);
  observe(rule, scene, PlayedStep{.drafted = {k}, .accepted = {0}, .seconds = 1 / speed_up(k)});
  return k;
}

std::vector<int> arms_played(DepthPolicy& rule, int rounds, const std::function<double(int k)>& speed_up) {
  Scene scene = one_user();
  std::vector<int> arms;
  for (int round = 0; round < rounds; ++round) arms.push_back(play(rule, scene, speed_up));
  return arms;
}

TEST(BanditSpec, PlaysEveryArmOnceAndThenTheBestBound) {
  const auto two_is_best = [](int k) { return k == 2 ? 2.0 : 1.0; };
  EXPECT_THAT(arms_played(*policy("bandit_spec"), 6, two_is_best), ElementsAre(0, 1, 2, 3, 4, 2));
}

TEST(BanditSpec, TheBonusIsThatOfThePaper) {
  // After six rounds, two of them with arm 2 whose mean is 2 against 1, K = 5 and δ = 0.1, the square roots
  // are √(3/4·(1 + 2·ln(5·36·√3/0.1))) = 3.5801 for arm 2 and √(2·(1 + 2·ln(5·36·√2/0.1))) = 5.7765 for the
  // others: arm 2 is played again while L/2·(5.7765 - 3.5801) < 1, which is L < 0.9106.
  const auto two_is_best = [](int k) { return k == 2 ? 2.0 : 1.0; };
  const auto seventh = [&](const char* range) {
    return arms_played(*policy("bandit_spec", written_map({{"reward_range", written(range)}})), 7,
                       two_is_best)[6];
  };
  EXPECT_EQ(seventh("0.91"), 2);
  EXPECT_EQ(seventh("0.911"), 0);
  EXPECT_EQ(seventh("0"), 0) << "largest arm + 1 = 5";
}

TEST(BanditSpec, TheReleasedFormCyclesForSevenRoundsAndIsGreedyThen) {
  // Arm 4 is played once, when it happens to be slow, and never again: its bonus never grows past the
  // others'.
  const auto rule = policy("bandit_spec", written_map({{"form", written("released")}}));
  int rounds_of_four = 0;
  const auto speed_up = [&](int k) {
    if (k == 4) return ++rounds_of_four == 1 ? 0.5 : 9.0;
    return 1 + 0.1 * k;
  };
  const auto arms = arms_played(*rule, 500, speed_up);
  EXPECT_THAT(std::vector(arms.begin(), arms.begin() + 8), ElementsAre(1, 2, 3, 4, 1, 2, 3, 3));
  EXPECT_THAT(std::vector(arms.begin() + 7, arms.end()), Each(3));
}

TEST(BanditSpec, ThePaperFormReturnsToAnUnluckyArm) {
  int rounds_of_four = 0;
  const auto speed_up = [&](int k) {
    if (k == 4) return ++rounds_of_four == 1 ? 0.5 : 3.0;
    return 1 + 0.1 * k;
  };
  const auto arms = arms_played(*policy("bandit_spec"), 2000, speed_up);
  EXPECT_GT(std::count(arms.end() - 200, arms.end(), 4), 190);
}

TEST(BanditSpec, TheRewardIsASpeedUpAndDoesNotFollowTheLoad) {
  // k = 0 by one user at its believed speed: 1. k = 1 by eight users who get 8 tokens in 5 s where 4.5 s are
  // believed without drafts: more tokens per second, but a loss.
  const auto rule = policy("bandit_spec", written_map({{"form", written("released")},
                                                       {"arms", written_list({"0", "1"})},
                                                       {"warmup_rounds", written("2")}}));
  Scene alone = one_user();
  Scene busy(8, 8, affine_cost(0.5, 0.5));
  EXPECT_EQ(planned(*rule, alone), 0);
  observe(*rule, alone, {.drafted = {0}, .accepted = {0}, .seconds = 1});
  EXPECT_EQ(planned(*rule, busy), 1);
  observe(*rule, busy, {.drafted = std::vector<int>(8, 1), .accepted = std::vector<int>(8, 0), .seconds = 5});
  EXPECT_EQ(planned(*rule, alone), 0);
}

TEST(BanditSpec, StepsOfPromptsOnlyAreNoRounds) {
  const auto rule = policy("bandit_spec");
  Scene scene = one_user();
  EXPECT_EQ(planned(*rule, scene), 0);
  rule->observe(StepOutcome{});
  EXPECT_EQ(planned(*rule, scene), 0) << "the first arm is still to be played";
}

TEST(BanditSpec, RefusesArmsThatAreNoNumbersOfTokens) {
  EXPECT_THAT(
      [] {
        policy("bandit_spec", written_map({{"arms", written_list({"1", "2.5"})}}));
      },
      ThrowsMessage<std::runtime_error>(HasSubstr("whole numbers")));
  EXPECT_THAT(
      [] {
        policy("bandit_spec", written_map({{"arms", written_list({"1", "1"})}}));
      },
      ThrowsMessage<std::runtime_error>(HasSubstr("twice")));
  EXPECT_THAT(
      [] {
        policy("bandit_spec", written_map({{"form", written("released")}, {"delta", written("0.1")}}));
      },
      ThrowsMessage<std::runtime_error>(HasSubstr("delta")));
}

}  // namespace
}  // namespace dspark
