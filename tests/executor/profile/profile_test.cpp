// Profiles of the tiny models of the tests: what is measured, never how long it takes.
#include "executor/profile/profile.h"

#include <gtest/gtest.h>

#include "executor/drafter/ngram_drafter.h"
#include "executor/profile/served_steps.h"
#include "executor/profile/step_timer.h"
#include "tests/executor/drafter/served_model.h"

namespace dspark {
namespace {

using testing::ServedModel;

ProfileOptions options_of(const ServedModel&) {
  return {.repeats = 2,
          .draft_requests = {1, 3},
          .kv_blocks = static_cast<int>(ServedModel::kBlocks),
          .block_tokens = static_cast<int>(ServedModel::kBlockTokens),
          .max_rows = 96};
}

ProfileGrid grid_of(const ProfileOptions& options) {
  return *make_profile_grid({{1, 4, 8}, {1, 3}, {0, 20}},
                            {options.kv_blocks, options.block_tokens, /*max_positions=*/256});
}

TEST(Profile, MeasuresEveryPointOfAModel) {
  ServedModel model("qwen3_tied", ElementType::kF32);
  const ProfileOptions options = options_of(model);
  const ProfileGrid grid = grid_of(options);
  int told = 0;
  const Profile profile = measure_profile(*model.kernels, model.target, nullptr, grid, options,
                                          [&](int done, int of) { told = of - done; });
  EXPECT_EQ(told, 0);
  ASSERT_EQ(profile.points.size(), grid.points.size());
  for (const RepeatedSeconds& point : profile.verify.points) {
    EXPECT_EQ(point.repeats, 2);
    EXPECT_GT(point.minimum, 0);
    EXPECT_GE(point.median, point.minimum);
  }
  EXPECT_TRUE(CostTable::make(profile.fit.table, {.capture_limit = 1}, "fitted"));
  EXPECT_TRUE(profile.draft.empty());
  EXPECT_GE(profile.step_overhead_seconds, 0);
  EXPECT_GT(profile.engine_seconds, 0);
  EXPECT_EQ(profile.idle_drafter_tax, 0);
}

TEST(Profile, MeasuresADrafterByTheRequestsThatDraft) {
  ServedModel model("qwen3_tied", ElementType::kF32);
  NgramDrafter drafter({.block_size = 4});
  const ProfileOptions options = options_of(model);
  const Profile profile =
      measure_profile(*model.kernels, model.target, &drafter, grid_of(options), options, {});
  ASSERT_EQ(profile.draft.size(), 2u);
  EXPECT_EQ(profile.draft[0].requests, 1);
  EXPECT_EQ(profile.draft[1].requests, 3);
  EXPECT_EQ(profile.draft[1].seconds.repeats, 2 * ServedLoad{}.steps);
  EXPECT_TRUE(CostTable::make(profile.draft_table, {}, "fitted"));
  EXPECT_GT(profile.idle_drafter_tax, 0) << "it is told of every step";
}

TEST(Profile, MeasuresSampledStepsAndShorterBlocks) {
  ServedModel model("qwen3_tied", ElementType::kF32);
  NgramDrafter drafter({.block_size = 4});
  ProfileOptions options = options_of(model);
  options.temperature = 0.8f;
  const Profile profile =
      measure_profile(*model.kernels, model.target, &drafter, grid_of(options), options, {});
  for (const RepeatedSeconds& point : profile.verify.points) EXPECT_GT(point.minimum, 0);
  EXPECT_GT(profile.one_token_share, 0);
  EXPECT_LE(profile.one_token_share, 1);
}

TEST(ServedSteps, AreThoseInWhichAllRequestsDraftTheirWholeBlock) {
  ServedModel model("qwen3_tied", ElementType::kF32);
  NgramDrafter drafter({.block_size = 4});
  ServedLoad load{.requests = 3, .planned = 4, .steps = 5};
  load.kv_blocks = static_cast<int>(ServedModel::kBlocks);
  load.block_tokens = static_cast<int>(ServedModel::kBlockTokens);
  load.max_rows = 96;
  const ServedSteps served = serve_steps(*model.kernels, model.target, &drafter, load);
  ASSERT_EQ(served.steps.size(), 5u);
  for (const ServedStep& step : served.steps) {
    EXPECT_GT(step.draft, 0);
    EXPECT_GT(step.verify, 0);
    EXPECT_LT(step.bare, step.verify);
  }
}

/// Remembers what it was asked.
class AskedTarget final : public TargetModel {
 public:
  explicit AskedTarget(TargetModel& target) : target_(target) {}
  std::size_t vocab_size() const override { return target_.vocab_size(); }
  TargetOutput forward(const RaggedRows& rows, std::span<const std::int32_t> tokens,
                       std::span<const std::int32_t> logit_rows) override {
    first_row.assign(rows.first_row.begin(), rows.first_row.end());
    first_position.assign(rows.first_position.begin(), rows.first_position.end());
    blocks.assign(rows.block_table.data, rows.block_table.data + rows.block_table.size());
    logits = logit_rows.size();
    return target_.forward(rows, tokens, logit_rows);
  }
  std::vector<std::int32_t> first_row, first_position, blocks;
  std::size_t logits = 0;

 private:
  TargetModel& target_;
};

TEST(StepTimer, GivesEachRequestItsOwnContext) {
  ServedModel model("qwen3_tied", ElementType::kF32);
  AskedTarget target(model.target);
  StepTimer timer(*model.kernels, target, static_cast<int>(ServedModel::kBlockTokens));
  EXPECT_GT(timer.seconds({.tokens = 5, .requests = 2, .context_tokens = 10}), 0);
  EXPECT_EQ(target.first_row, (std::vector<std::int32_t>{0, 3, 5}));
  EXPECT_EQ(target.first_position, (std::vector<std::int32_t>{10, 10}));
  EXPECT_EQ(target.blocks, (std::vector<std::int32_t>{0, 1, 2, 3}));
  EXPECT_EQ(target.logits, 5u);
}

}  // namespace
}  // namespace dspark
