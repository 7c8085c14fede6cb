#include "sim/hardware/modelled_runner.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "sim/acceptance/latent_acceptance.h"
#include "tests/sim/acceptance/batch_rows.h"
#include "tests/sim/small_system.h"

namespace dspark {
namespace {

using ::testing::ElementsAre;

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

TEST(ModelledRunner, ABlockDrafterIsPaidForWhatWasAskedWhereARuleEndsTheBlockEarlier) {
  auto p = parts();
  p.draft_block_size = 7;
  p.one_token_share = 0.4;
  const StepShape stopped{.decode_requests = 1, .drafting_requests = 1, .draft_steps = 1, .asked_steps = 7};
  const StepShape short_block{
      .decode_requests = 1, .drafting_requests = 1, .draft_steps = 1, .asked_steps = 1};
  EXPECT_NEAR(seconds(p, stopped) - seconds(p, short_block), 0.6 * 1e-3, 1e-12);
  p.sequential_drafter = true;
  EXPECT_EQ(seconds(p, stopped), seconds(p, short_block)) << "it works token by token";
}

TEST(ModelledRunner, OnlyALoadedDrafterThatDraftsNothingIsTaxed) {
  StepShape shape{.decode_requests = 4};
  const double verify = 5e-3 + 4 * 1e-5 + 4 * 2e-5;
  EXPECT_NEAR(seconds(parts(), shape), 1.15 * verify + 7e-4, 1e-12);
  shape.drafter_loaded = false;
  EXPECT_NEAR(seconds(parts(), shape), verify + 7e-4, 1e-12);
}

TEST(ModelledRunner, AStepPaysForEachTokenThatARowAttendsTo) {
  auto p = parts();
  p.verify_terms = {.seconds_per_request = 3e-3, .seconds_per_context_token = 1e-4};
  const StepCost cost(p);
  const LatentAcceptance acceptance({{{9, 9}, 0}}, {}, {}, 0);
  ModelledRunner runner(cost, acceptance, {1, 1});
  BatchRows rows(2);
  rows.anchor = {40, 70};
  RequestTable requests;
  const PromptChunk prompt{.id = requests.add({.prompt_tokens = 100}, 0), .rows = 3};
  requests[prompt.id].computed = 10;
  RunnerRows given = rows.rows();
  given.prompts = {&prompt, 1};
  given.requests = &requests;
  const std::vector<int> submitted = {2, 0};
  const StepShape shape{.decode_requests = 2,
                        .verified_tokens = 2,
                        .prefill_rows = 3,
                        .drafting_requests = 2,
                        .draft_steps = 2};
  runner.draft(given, std::vector<int>{2, 2}, {});
  const double first = given.anchor_position[0], second = given.anchor_position[1];
  const double attended = (first + 1) + (first + 2) + (first + 3) + (second + 1) + (11 + 12 + 13);
  const double without = ModelledRunner(StepCost(parts()), acceptance, {}).seconds(shape).total();
  EXPECT_NEAR(runner.verify(given, submitted, shape).seconds.total(), without + 2 * 3e-3 + attended * 1e-4,
              1e-12);
}

TEST(ModelledRunner, StepNoiseIsAFactorOfMeanOneByStep) {
  const StepCost cost(parts());
  const LatentAcceptance acceptance({{{9, 9}, 0}}, {}, {}, 0);
  BatchRows rows(1);
  constexpr double kSigma = 0.2;
  constexpr int kSteps = 20000;
  const std::vector<int> submitted = {0};
  const StepShape shape{.decode_requests = 1};
  const double price = ModelledRunner(cost, acceptance, {}).seconds(shape).total();
  const auto factors = [&](RandomKey key) {
    ModelledRunner runner(cost, acceptance, key, kSigma);
    std::vector<double> result;
    for (int i = 0; i < kSteps; ++i)
      result.push_back(runner.verify(rows.rows(), submitted, shape).seconds.total() / price);
    return result;
  };
  const std::vector<double> one = factors({1, 1});
  EXPECT_EQ(one, factors({1, 1}));
  EXPECT_NE(one, factors({2, 1}));
  double mean = 0, log_square = 0;
  for (const double factor : one) {
    mean += factor / kSteps;
    const double z = (std::log(factor) + kSigma * kSigma / 2) / kSigma;
    log_square += z * z / kSteps;
  }
  const double deviation = std::sqrt(std::exp(kSigma * kSigma) - 1);
  EXPECT_NEAR(mean, 1, 4 * deviation / std::sqrt(kSteps));
  EXPECT_NEAR(log_square, 1, 4 * std::sqrt(2.0 / kSteps)) << "variance of a normal variate's square: 2";
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

/// Every confidence becomes 0.25.
class AlwaysAQuarter final : public ConfidenceCalibration {
 public:
  void apply(const DraftColumns& raw, int depth, std::span<float> confidence) const override {
    std::fill_n(confidence.begin(), static_cast<std::size_t>(depth) * raw.stride, 0.25f);
  }
  void observe(const StepOutcome&) override { ++observed; }
  int observed = 0;
};

TEST(ModelledRunner, StopAndPolicySeeCalibratedConfidencesAndOutcomesStay) {
  struct WhereConfident final : DraftStop {
    bool keep_drafting(const DraftedToken& token) const override { return token.before.confidence > 0.5; }
  } stop;
  const StepCost cost(parts());
  const LatentAcceptance acceptance({{{9, 9, 9}, 0}}, {}, {}, 0);
  ModelledRunner runner(cost, acceptance, {1, 1});
  const AlwaysAQuarter calibration;
  BatchRows rows(2);
  const std::vector<int> planned = {3, 3};
  EXPECT_THAT(runner.draft(rows.rows(), planned, {.stop = &stop}).drafted, ElementsAre(3, 3));
  const DraftColumns drafts =
      runner.draft(rows.rows(), planned, {.stop = &stop, .calibration = &calibration});
  EXPECT_THAT(drafts.drafted, ElementsAre(1, 1));
  EXPECT_EQ(drafts.before_draw(0, 1).confidence, 0.25);
  const DraftColumns whole = runner.draft(rows.rows(), planned, {.calibration = &calibration});
  EXPECT_THAT(whole.accepted_if_verified, ElementsAre(3, 3)) << "what is accepted knows nothing of it";
}

TEST(ModelledRunner, TheEngineHandsTheCalibrationOnAndTellsItOfEachStep) {
  struct Looks final : DepthPolicy {
    void choose(const Step& step, SurvivalFrontier& frontier) override {
      for (int r = 0; r < step.requests(); ++r) {
        if (const auto head = frontier.head(r)) {
          EXPECT_EQ(head->signals.confidence, 0.25);
        }
      }
      frontier.admit_all();
      ++chosen;
    }
    void observe(const StepOutcome&) override { ++observed; }
    int chosen = 0, observed = 0;
  } policy;
  testing::SmallSystem system;
  system.build();
  AlwaysAQuarter calibration;
  Simulation simulation(system.key, *system.source, system.router, system.elsewhere);
  simulation.add_replica(system.options, *system.batching, policy, *system.cost, *system.runner)
      .calibrate(calibration);
  int events = 0;
  simulation.run([&] { return ++events > 1000; }, nullptr);
  EXPECT_GT(policy.chosen, 100);
  EXPECT_EQ(calibration.observed, policy.observed);
}

}  // namespace
}  // namespace dspark
