#include <gmock/gmock.h>

#include "tests/policies/depth/played_step.h"

namespace dspark {
namespace {

using testing::affine_cost;
using testing::Blocks;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::observe;
using testing::policy;
using testing::Scene;
using ::testing::ThrowsMessage;
using testing::written;
using testing::written_map;

constexpr auto kName = "hugging_face_heuristic";

std::vector<int> planned(DepthPolicy& rule, Scene& scene) {
  EXPECT_EQ(scene.plan(rule), PlanAnswer::kVerifyAll);
  return scene.planned;
}

TEST(HuggingFaceHeuristic, GrowsByTwoOnFullAcceptanceAndShrinksByOneElse) {
  const auto rule = policy(kName);
  Scene scene(2, 16, affine_cost(1, 1));
  EXPECT_THAT(planned(*rule, scene), ElementsAre(5, 5));
  observe(*rule, scene, {{5, 5}, {5, 4}});
  EXPECT_THAT(planned(*rule, scene), ElementsAre(7, 4)) << "each request has a k of its own";
  observe(*rule, scene, {{7, 4}, {0, 4}});
  EXPECT_THAT(planned(*rule, scene), ElementsAre(6, 6));
}

TEST(HuggingFaceHeuristic, FullAcceptanceMeansAllThatWasActuallyDrafted) {
  const auto rule = policy(kName);
  Scene scene(2, 16, affine_cost(1, 1));
  planned(*rule, scene);
  observe(*rule, scene, {{3, 0}, {3, 0}});
  EXPECT_THAT(planned(*rule, scene), ElementsAre(7, 5)) << "and nothing drafted teaches nothing";
}

TEST(HuggingFaceHeuristic, StaysWithinOneAndTheBlock) {
  const auto rule = policy(kName);
  Scene scene(2, 8, affine_cost(1, 1));
  for (int step = 0; step < 10; ++step) {
    planned(*rule, scene);
    observe(*rule, scene, {{8, 5}, {8, 0}});
  }
  EXPECT_THAT(planned(*rule, scene), ElementsAre(8, 1));
  observe(*rule, scene, {{8, 1}, {7, 1}});
  EXPECT_THAT(planned(*rule, scene), ElementsAre(7, 3)) << "k has not run away past the block";
}

TEST(HuggingFaceHeuristic, ANewRequestOfAnOldNumberStartsAnewOrWhereTheLastOneEnded) {
  const auto transient = policy(kName);
  const auto lasting = policy(kName, written_map({{"schedule", written("heuristic")}}));
  for (DepthPolicy* rule : {transient.get(), lasting.get()}) {
    Scene scene(2, 16, affine_cost(1, 1));
    planned(*rule, scene);
    observe(*rule, scene, {{5, 5}, {5, 5}});
    planned(*rule, scene);
    observe(*rule, scene, {{7, 7}, {7, 0}, {1, 0}});
    EXPECT_THAT(planned(*rule, scene), ElementsAre(rule == transient.get() ? 5 : 9, 6));
  }
}

TEST(HuggingFaceHeuristic, ABatchGrowsOnlyWhereEveryRequestAcceptedAll) {
  const auto rule = policy(kName, written_map({{"scope", written("batch")}}));
  Scene scene(2, 16, affine_cost(1, 1));
  EXPECT_THAT(planned(*rule, scene), ElementsAre(5, 5));
  observe(*rule, scene, {{5, 5}, {5, 5}});
  EXPECT_THAT(planned(*rule, scene), ElementsAre(7, 7));
  observe(*rule, scene, {{7, 7}, {7, 6}, {1, 0}});
  EXPECT_THAT(planned(*rule, scene), ElementsAre(6, 6)) << "one new request does not reset the batch";
  observe(*rule, scene, {{6, 6}, {6, 6}, {1, 1}});
  EXPECT_THAT(planned(*rule, scene), ElementsAre(5, 5)) << "all new: a new batch";
}

TEST(HuggingFaceHeuristic, TheConstantScheduleHoldsItsNumber) {
  const auto rule = policy(
      kName, written_map({{"num_assistant_tokens", written("20")}, {"schedule", written("constant")}}));
  Scene scene(2, 32, affine_cost(1, 1));
  planned(*rule, scene);
  observe(*rule, scene, {{20, 20}, {20, 0}});
  EXPECT_THAT(planned(*rule, scene), ElementsAre(20, 20));
}

TEST(HuggingFaceHeuristic, ADraftEndsAfterATokenBelowTheThreshold) {
  EXPECT_EQ(policy(kName)->draft_stop(), nullptr) << "off by default";
  EXPECT_EQ(policy(kName)->traits().signals, kConfidenceOnly);
  const auto rule = policy(kName, written_map({{"assistant_confidence_threshold", written("0.4")}}));
  EXPECT_EQ(rule->traits().signals, kChosen);
  Scene scene(2, 8, affine_cost(1, 1));
  Blocks blocks(2, 8);  // chosen: 0.5
  blocks.chosen[blocks.cell(0, 2)] = 0.39f;
  blocks.chosen[blocks.cell(1, 2)] = 0.41f;
  EXPECT_THAT(scene.decide(*rule, blocks), ElementsAre(2, 5)) << "the unlikely token is kept";
}

bool keeps(const DepthPolicy& rule, double chosen) {
  return rule.draft_stop()->keep_drafting({.after = {.chosen = chosen}});
}

TEST(HuggingFaceHeuristic, TheThresholdMovesToTheCheapestPointOfTheRocCurve) {
  // Accepted: .9 .8 .7 .3, rejected: .6 .2. Cost at threshold .7: 0.75/4; at .6: 0.75/4 + 0.25/2; at .3:
  // 0.25/2, the least; at .2: 0.25. Three times .5 came after a rejection and does not count: it would make
  // .7 the best.
  const auto rule = policy(kName, written_map({{"assistant_confidence_threshold", written("0.4")},
                                               {"update_threshold", written("true")}}));
  Scene scene(1, 8, affine_cost(1, 1));
  scene.plan(*rule);
  observe(*rule, scene, {.drafted = {3}, .accepted = {2}, .chosen = {0.9f, 0.8f, 0.6f}});
  EXPECT_TRUE(keeps(*rule, 0.401)) << "three tokens are too few";
  EXPECT_FALSE(keeps(*rule, 0.399));
  observe(*rule, scene, {.drafted = {6}, .accepted = {2}, .chosen = {0.7f, 0.3f, 0.2f, 0.5f, 0.5f, 0.5f}});
  EXPECT_TRUE(keeps(*rule, 0.3));
  EXPECT_FALSE(keeps(*rule, 0.299));
}

TEST(HuggingFaceHeuristic, OneKindOfLabelDoesNotMoveTheThreshold) {
  const auto rule = policy(kName, written_map({{"assistant_confidence_threshold", written("0.4")},
                                               {"update_threshold", written("true")}}));
  Scene scene(1, 8, affine_cost(1, 1));
  scene.plan(*rule);
  observe(*rule, scene, {.drafted = {6}, .accepted = {6}, .chosen = {0.9f, 0.8f, 0.7f, 0.6f, 0.5f, 0.1f}});
  EXPECT_FALSE(keeps(*rule, 0.399));
}

TEST(HuggingFaceHeuristic, RefusesToMoveAThresholdThatIsOff) {
  EXPECT_THAT(
      [] {
        policy(kName, written_map({{"update_threshold", written("true")}}));
      },
      ThrowsMessage<std::runtime_error>(HasSubstr("needs a threshold to start from")));
}

}  // namespace
}  // namespace dspark
