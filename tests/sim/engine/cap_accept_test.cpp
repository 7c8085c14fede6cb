// Verify everything, commit only inside the policy's window: what a policy loses, without what it gains.
#include <gtest/gtest.h>

#include <numeric>

#include "tests/sim/small_system.h"

namespace dspark {
namespace {

using testing::SmallSystem;

struct Steps final : Watcher {
  explicit Steps(const StepCost& step_cost) : cost(step_cost) {}
  void step_ended(const StepRecord& step) override {
    const auto sum = [](std::span<const int> column) {
      return std::accumulate(column.begin(), column.end(), 0);
    };
    EXPECT_EQ(step.draft_rows, sum(step.drafted)) << "the whole blocks are computed";
    const int rows = step.decode_requests() + sum(step.drafted) + step.prefill_rows;
    const double overhead = step.seconds - cost.verify_seconds(step.decode_requests(), rows);
    EXPECT_NEAR(overhead, 0, 1e-12) << "and paid for";
    for (std::size_t r = 0; r < step.drafts.accepted_if_verified.size(); ++r) {
      EXPECT_EQ(step.accepted[r], std::min(step.drafts.accepted_if_verified[r], step.verified[r]));
      lost += step.drafts.accepted_if_verified[r] - step.accepted[r];
      EXPECT_LE(step.delivered[r], step.verified[r] + 1) << "nothing is committed outside the window";
    }
    cut += sum(step.drafted) - sum(step.verified);
  }
  const StepCost& cost;
  int cut = 0;
  int lost = 0;
};

TEST(CapAccept, VerifiesEverythingAndCommitsInsideTheWindow) {
  SmallSystem system;
  system.policy_name = "threshold";
  system.policy_value = "0.8";
  system.options.cap_accept = true;
  system.build();
  Steps steps(*system.cost);
  system.simulation->watch(steps);
  int events = 0;
  system.simulation->run([&] { return ++events > 3000; }, nullptr);
  EXPECT_GT(steps.cut, 1000);
  EXPECT_GT(steps.lost, 100);
}

}  // namespace
}  // namespace dspark
