// What the engine shows a policy beside the batch: memory, queue, objectives and the age of each reply.
#include <gtest/gtest.h>

#include <map>

#include "tests/sim/small_system.h"

namespace dspark {
namespace {

/// Drafts nothing and checks what it is shown before each step.
class Onlooker final : public DepthPolicy {
 public:
  PolicyTraits traits() const override { return {.signals = kDecodingTime}; }
  PlanAnswer plan(const PlanView& view, BlockPlan& blocks) override {
    blocks.set_all(0);
    EXPECT_EQ(view.request.decoding_seconds.size(), view.request.id.size());
    for (const float seconds : view.request.decoding_seconds) {
      EXPECT_GE(seconds, 0);
      oldest = std::max(oldest, seconds);
    }
    EXPECT_EQ(view.system.kv_block_tokens, 4);
    EXPECT_GE(view.system.free_kv_blocks, 0);
    EXPECT_LT(view.system.free_kv_blocks, 40) << "the running replies hold blocks";
    EXPECT_EQ(view.system.tpot_objective_seconds, 0.02);
    most_waiting = std::max(most_waiting, view.system.waiting_requests);
    return PlanAnswer::kVerifyAll;
  }
  void observe(const StepOutcome& outcome) override {
    EXPECT_GT(outcome.seconds.verify, 0);
    EXPECT_EQ(outcome.seconds.draft, 0);
    EXPECT_DOUBLE_EQ(outcome.seconds.total(), outcome.seconds.verify + outcome.seconds.overhead);
  }

  float oldest = 0;
  int most_waiting = 0;
};

TEST(PolicyViews, ShowMemoryQueueObjectivesAndAgeAlsoWhileRequestsArePreempted) {
  struct Preemptions final : Watcher {
    int count = 0;
    void preempted(const RequestSpec&) override { ++count; }
  } preemptions;
  testing::SmallSystem system;
  system.options.kv_blocks = 40;
  system.options.tpot_objective_seconds = 0.02;
  system.build();
  Onlooker policy;
  Simulation simulation(system.key, *system.source, system.router, system.elsewhere);
  simulation.add_replica(system.options, *system.batching, policy, *system.cost, *system.runner);
  simulation.watch(preemptions);
  int events = 0;
  simulation.run([&] { return ++events > 4000; }, nullptr);
  EXPECT_GT(policy.oldest, 0.05f) << "a reply of twenty steps lasts that long";
  EXPECT_GT(policy.most_waiting, 0);
  EXPECT_GT(preemptions.count, 0);
}

/// Remembers the first survival of each request and compares it with what the engine shows a step later.
class Rememberer final : public DepthPolicy {
 public:
  PolicyTraits traits() const override { return {.history = 1}; }
  void choose(const Step& step, SurvivalFrontier& frontier) override {
    const EarlierStep earlier = step.earlier(1);
    ASSERT_EQ(earlier.id.size(), static_cast<std::size_t>(earlier.requests));
    for (int row = 0; row < earlier.requests; ++row) {
      const auto then = static_cast<std::size_t>(row);
      if (earlier.longest_block() == 0) continue;
      ASSERT_TRUE(first_survival.contains(earlier.id[then]));
      EXPECT_FLOAT_EQ(earlier.by_request[then], first_survival[earlier.id[then]]);
      ++compared;
    }
    first_survival.clear();
    for (int r = 0; r < step.requests(); ++r) {
      const auto head = frontier.head(r);
      first_survival[step.request.id[static_cast<std::size_t>(r)]] =
          head ? static_cast<float>(head->survival) : 0;
    }
    frontier.admit_all();
  }

  std::map<RequestId, float> first_survival;
  int compared = 0;
};

TEST(PolicyViews, SurvivalsOfAnEarlierStepAreThoseOfTheRequestsNamed) {
  testing::SmallSystem system;
  system.options.kv_blocks = 40;  // preempts: rows change places
  system.build();
  Rememberer policy;
  Simulation simulation(system.key, *system.source, system.router, system.elsewhere);
  simulation.add_replica(system.options, *system.batching, policy, *system.cost, *system.runner);
  int events = 0;
  simulation.run([&] { return ++events > 2000; }, nullptr);
  EXPECT_GT(policy.compared, 500);
}

}  // namespace
}  // namespace dspark
