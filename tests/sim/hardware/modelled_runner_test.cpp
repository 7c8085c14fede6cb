#include "sim/hardware/modelled_runner.h"

#include <gtest/gtest.h>

#include "sim/acceptance/latent_acceptance.h"
#include "tests/sim/acceptance/batch_rows.h"

namespace dspark {
namespace {

StepCost::Parts parts() {
  StepCost::Parts p;
  p.verify_affine = {.bias_seconds = 5e-3, .seconds_per_request = 1e-5, .seconds_per_token = 2e-5};
  p.draft_table = *CostTable::make({{1, 1e-3}, {16, 2e-3}}, {}, "draft");
  p.overhead_seconds = 7e-4;
  p.decision_seconds = 1e-4;
  p.idle_drafter_tax = 0.15;
  return p;
}

double seconds(const StepCost::Parts& p, const StepShape& shape) {
  const StepCost cost(p);
  const LatentAcceptance acceptance({{{0, 0, 0}, 1}}, {}, {}, 0);
  return ModelledRunner(cost, acceptance, {}).seconds(shape).total();
}

TEST(ModelledRunner, AStepIsDraftPlusVerifyPlusOverhead) {
  const StepShape shape{.decode_requests = 16,
                        .verified_tokens = 40,
                        .prefill_rows = 4,
                        .drafting_requests = 16,
                        .draft_steps = 3,
                        .chosen_after_drafting = true};
  EXPECT_NEAR(seconds(parts(), shape), 2e-3 + 5e-3 + 16 * 1e-5 + 60 * 2e-5 + 7e-4 + 1e-4, 1e-12);
}

TEST(ModelledRunner, ASequentialDrafterIsPaidByDraftStep) {
  auto p = parts();
  p.sequential_drafter = true;
  const StepShape shape{.decode_requests = 1, .verified_tokens = 3, .drafting_requests = 1, .draft_steps = 3};
  EXPECT_NEAR(seconds(p, shape) - seconds(parts(), shape), 2 * 1e-3, 1e-12);
}

TEST(ModelledRunner, OnlyALoadedDrafterThatDraftsNothingIsTaxed) {
  StepShape shape{.decode_requests = 4};
  const double verify = 5e-3 + 4 * 1e-5 + 4 * 2e-5;
  EXPECT_NEAR(seconds(parts(), shape), 1.15 * verify + 7e-4, 1e-12);
  shape.drafter_loaded = false;
  EXPECT_NEAR(seconds(parts(), shape), verify + 7e-4, 1e-12);
}

TEST(ModelledRunner, TheStopEndsTheBlockAfterTheTokenThatTriggeredIt) {
  struct AfterTwo final : DraftStop {
    bool keep_drafting(const DraftedToken& token) const override { return token.position < 2; }
  } stop;
  const StepCost cost(parts());
  const LatentAcceptance acceptance({{{9, 9, 9}, 0}}, {}, {}, 0);
  ModelledRunner runner(cost, acceptance, {1, 1});
  BatchRows rows(3);
  const std::vector<int> planned = {3, 1, 0};
  const DraftColumns drafts = runner.draft(rows.rows(), planned, {.stop = &stop});
  EXPECT_EQ(std::vector<int>(drafts.drafted.begin(), drafts.drafted.end()), (std::vector<int>{2, 1, 0}));
  const std::vector<int> submitted = {2, 1, 0};
  const Verified verified =
      runner.verify(rows.rows(), submitted, {.decode_requests = 3, .verified_tokens = 3});
  EXPECT_EQ(std::vector<int>(verified.accepted.begin(), verified.accepted.end()), submitted);
}

}  // namespace
}  // namespace dspark
