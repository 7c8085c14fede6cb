#include <gmock/gmock.h>

#include <functional>

#include "tests/policies/depth/stopping_set.h"

namespace dspark {
namespace {

using testing::affine_cost;
using testing::Blocks;
using testing::blocks_of;
using testing::decisions_that_anticipate;
using testing::policy;
using testing::random_staircase;
using testing::Scene;
using testing::total;
using testing::written;

/// Two requests whose step before was run by requests 5 (survivals .9 .45) and 7 (.8 .4). T = 1 + rows / 4.
struct TwoThen {
  explicit TwoThen(std::vector<RequestId> now, std::vector<std::int32_t> rounds)
      : scene(2, 2, affine_cost(1, 0.25)) {
    scene.ids = std::move(now);
    scene.rounds = std::move(rounds);
    scene.planned = {2, 2};
    scene.history.push_front({{0.9f, 0.8f, 0.45f, 0.4f}, {0.9f, 0.8f, 0.45f, 0.4f}});
    scene.history.push_front(scene.history[0]);
  }
  int admitted(const std::string& name, int prefill_rows = 0) {
    auto rule = policy(name);
    Step step = scene.chosen_step();
    step.prefill_rows = prefill_rows;
    for (EarlierStep& then : scene.earlier) then.id = ids_then;
    const Blocks blocks = blocks_of({{0.9f, 0.9f}, {0.9f, 0.9f}});
    scene.frontier.reset(blocks.columns());
    rule->choose(step, scene.frontier);
    return scene.frontier.total_admitted();
  }
  Scene scene;
  std::vector<RequestId> ids_then = {RequestId{5}, RequestId{7}};
};

TEST(VllmAdaptive, TheBudgetIsWorkedOutByHand) {
  // 2/1.5 = 1.333; 2.9/1.75 = 1.657; 3.7/2 = 1.85; 4.15/2.25 = 1.844.
  EXPECT_EQ(TwoThen({RequestId{5}, RequestId{7}}, {3, 3}).admitted("vllm_adaptive"), 2);
  EXPECT_EQ(TwoThen({RequestId{7}, RequestId{5}}, {3, 3}).admitted("vllm_adaptive"), 2) << "rows may move";
}

TEST(VllmAdaptive, ANewRequestCountsAsOneAndOneThatLeftDoesNotCount) {
  // Survivals 1 1 .9 .45: 2/1.5, 3/1.75, 4/2 = 2, 4.9/2.25 = 2.178, 5.35/2.5 = 2.14.
  TwoThen scene({RequestId{5}, RequestId{9}}, {3, 0});
  EXPECT_EQ(scene.admitted("vllm_adaptive"), 3);
  EXPECT_EQ(scene.admitted("dspark_async"), 4) << "1 1 .9 .8: request 7 still counts there";
}

TEST(VllmAdaptive, ARequestThatTheStepBeforeDidNotHaveIsNew) {
  EXPECT_EQ(TwoThen({RequestId{5}, RequestId{6}}, {3, 3}).admitted("vllm_adaptive"), 3);
  EXPECT_EQ(TwoThen({RequestId{5}, RequestId{99}}, {3, 3}).admitted("vllm_adaptive"), 3);
}

TEST(VllmAdaptive, ANumberThatIsUsedAgainIsANewRequest) {
  TwoThen scene({RequestId{5}, RequestId{7}}, {3, 0});
  EXPECT_EQ(scene.admitted("vllm_adaptive"), 3);
}

TEST(VllmAdaptive, PromptRowsMakeTheStepDearerAndSampleNothing) {
  // 2/2.5 = .8, 3/2.75, 4/3, 4.9/3.25 = 1.508, 5.35/3.5 = 1.529: with a dearer step all four pay.
  EXPECT_EQ(TwoThen({RequestId{5}, RequestId{9}}, {3, 0}).admitted("vllm_adaptive", 4), 4);
}

TEST(VllmAdaptive, TiesTakeTheSmallerBudget) {
  Scene scene(2, 3, affine_cost(0, 1));  // (2 + n)/(2 + n) while everything counts as 1
  Blocks blocks = blocks_of({{0.9f, 0.9f, 0.9f}, {0.9f, 0.9f, 0.9f}});
  EXPECT_EQ(total(scene.decide(*policy("vllm_adaptive"), blocks)), 0);
}

TEST(VllmAdaptive, TheBudgetIsTheBestOfAllOnTheRoundBefore) {
  std::mt19937 coins(41);
  for (int trial = 0; trial < 200; ++trial) {
    const int requests = 1 + static_cast<int>(coins() % 6);
    const int lag = 1 + static_cast<int>(coins() % 3);
    auto rule = policy("vllm_adaptive", {}, written(std::to_string(lag)));
    Scene scene(requests, 4, random_staircase(coins, 5 * requests));
    for (int step = 0; step < 5; ++step) {
      Blocks blocks = Blocks::random(coins, requests, 4);
      for (float& c : blocks.confidence) c = c < 0.5f ? 0.5f : 1.0f;  // exact products
      scene.plan(*rule);
      const Step view = scene.chosen_step();
      const EarlierStep earlier = view.earlier(lag);
      std::vector<double> survivals;
      for (int r = 0; r < requests; ++r) {
        const bool known = earlier.requests > 0 && view.request.rounds[static_cast<std::size_t>(r)] >= lag;
        for (int k = 1; k <= 4; ++k) {
          const std::size_t cell = static_cast<std::size_t>((k - 1) * requests + r);
          survivals.push_back(known ? static_cast<double>(earlier.by_request[cell]) : 1.0);
        }
      }
      std::sort(survivals.begin(), survivals.end(), std::greater<>());
      int best = 0;
      double best_rate = requests / view.seconds(0);
      double tokens = requests;
      for (int n = 1; n <= 4 * requests; ++n) {
        tokens += survivals[static_cast<std::size_t>(n - 1)];
        if (tokens / view.seconds(n) > best_rate) {
          best_rate = tokens / view.seconds(n);
          best = n;
        }
      }
      const std::vector<int> verified = scene.decide(*rule, blocks);
      ASSERT_EQ(total(verified), best) << "trial " << trial << " step " << step;
      scene.finish(*rule, blocks, verified);
      if (coins() % 2) scene.rounds[0] = 0;  // a newcomer took the row
    }
  }
}

TEST(VllmAdaptive, NeverAnticipates) {
  EXPECT_EQ(decisions_that_anticipate([] { return policy("vllm_adaptive"); }, 42), 0);
}

}  // namespace
}  // namespace dspark
