// EAGLE-3 and MTP: what they draft is what the published library computes, and the text stays the target's.
#include <fmt/format.h>

#include <cmath>

#include "executor/drafter/chain_folder.h"
#include "executor/drafter/draft_vocabulary.h"
#include "executor/drafter/feature_config.h"
#include "tests/executor/drafter/served_model.h"

namespace dspark {
namespace {

using testing::ServedModel;
using testing::ServedTexts;
using testing::some_requests;

constexpr int kSteps = 3;
// Of log-probabilities. Two computations in f32 that sum in other orders differ by some 1e-6 per layer.
constexpr double kTolerance = 2e-4;

std::string drafter_data(const std::string& name) {
  return DSPARK_SOURCE_DIR "/tests/executor/drafter/data/" + name;
}

std::unique_ptr<ChainDrafter> open(const std::string& name, const ServedModel& model,
                                   ChainOptions options = {}) {
  options.max_requests = 16;
  if (options.kv_tokens == 0) options.kv_tokens = 2048;
  auto drafter = open_chain_drafter(drafter_data(name), model.draft_target(), *model.kernels, options);
  EXPECT_TRUE(drafter) << to_string(drafter.error());
  return std::move(*drafter);
}

/// A drafter that is told a reference's rows and made to draft the tokens that follow them.
class ForcedDrafts {
 public:
  ForcedDrafts(const std::string& name, ElementType type)
      : model_("qwen3_tied", type),
        reference_("../../drafter/data/" + name),
        drafter_(open(name, model_)),
        next_tokens_(numbers_as_tokens("next_tokens")) {
    const auto config = read_feature_config(drafter_data(name), model_.config);
    drafted_ = static_cast<std::size_t>((*config)->draft_vocab_size);
    if (drafted_ < model_.decoder.plan().vocabulary)
      ids_ = *read_draft_vocabulary(*Checkpoint::open(drafter_data(name)), static_cast<int>(drafted_),
                                    model_.config.vocab_size);
    for (const int layer : drafter_->target_layers()) {
      kept_.push_back(reference_.numbers(fmt::format("kept.{}", layer)));
      views_.push_back({kept_.back().data(), {next_tokens_.size(), model_.decoder.plan().hidden}});
    }
  }

  std::size_t rows() const { return next_tokens_.size(); }

  /// The largest difference of the log-probabilities after the rows 0 .. last, told in steps of that size.
  double difference(std::int32_t last, std::int32_t step) {
    const RequestId id{last};
    for (std::int32_t first = 0; first <= last; first += step)
      tell(id, first, std::min(step, last + 1 - first));
    std::vector<std::int32_t> text(static_cast<std::size_t>(last) + 2);
    std::vector<DrawKey> keys(kSteps);
    double largest = 0;
    for (int k = 1; k <= kSteps && last + k - 1 < static_cast<int>(rows()); ++k) {
      const std::int32_t follows =
          last + k < static_cast<int>(rows()) ? next_tokens_[static_cast<std::size_t>(last + k)] : -1;
      draft(id, text, keys, k, follows);
      largest = std::max(largest, difference_of(k, last));
    }
    drafter_->left(id);
    return largest;
  }

 private:
  std::vector<std::int32_t> numbers_as_tokens(const std::string& name) const {
    const auto numbers = reference_.numbers(name);
    return {numbers.begin(), numbers.end()};
  }

  void tell(RequestId id, std::int32_t first, std::int32_t count) {
    const std::int32_t first_row[] = {0, count};
    std::vector<std::int32_t> target_rows;
    for (std::int32_t i = 0; i < count; ++i) target_rows.push_back(first + i);
    const auto next =
        std::span(next_tokens_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
    drafter_->extend({.id = {&id, 1},
                      .first_row = first_row,
                      .first_position = {&first, 1},
                      .tokens = next,  // which it does not look at
                      .next_tokens = next,
                      .target_rows = target_rows,
                      .kept = views_});
  }

  /// Drafts k tokens with other keys for the last one until it is `follows` (any, if that is negative).
  void draft(RequestId id, std::span<const std::int32_t> text, std::vector<DrawKey>& keys, int k,
             std::int32_t follows) {
    for (std::uint32_t attempt = 0; attempt < 20000; ++attempt) {
      keys[static_cast<std::size_t>(k) - 1].counter[0] = attempt;
      keys[static_cast<std::size_t>(k) - 1].counter[1] = static_cast<std::uint32_t>(k);
      const DraftRequest request{.id = id,
                                 .text = text,
                                 .planned = k,
                                 .rule = {.temperature = 1},
                                 .keys = std::span(keys).first(static_cast<std::size_t>(k))};
      drafter_->draft({&request, 1},
                      {.stride = 1, .drafted = {&count_, 1}, .tokens = tokens_, .confidence = confidence_});
      ASSERT_EQ(count_, k);
      if (follows < 0 || tokens_[static_cast<std::size_t>(k) - 1] == follows) return;
    }
    FAIL() << "token " << follows << " is never drafted";
  }

  double difference_of(int k, std::int32_t last) const {
    const auto logits = reference_.numbers(fmt::format("logits.{}", k - 1));
    const float* const expected = logits.data() + static_cast<std::size_t>(last) * drafted_;
    double sum = 0;
    for (std::size_t i = 0; i < drafted_; ++i) sum += std::exp(static_cast<double>(expected[i]));
    const View<const float, 2> distributions = drafter_->distributions();
    const float* const row = distributions.row(static_cast<std::size_t>(k) - 1);
    double largest = 0, covered = 0;
    for (std::size_t i = 0; i < drafted_; ++i) {
      const auto id = ids_.empty() ? i : static_cast<std::size_t>(ids_[i]);
      covered += static_cast<double>(row[id]);
      largest = std::max(largest, std::abs(std::log(static_cast<double>(row[id])) -
                                           (static_cast<double>(expected[i]) - std::log(sum))));
    }
    EXPECT_EQ(distributions.shape[1], model_.decoder.plan().vocabulary);
    EXPECT_NEAR(covered, 1, 1e-5) << "no other token has any probability";
    return largest;
  }

  ServedModel model_;
  Reference reference_;
  std::unique_ptr<ChainDrafter> drafter_;
  std::vector<std::int32_t> next_tokens_, ids_;
  std::size_t drafted_ = 0;
  std::vector<std::vector<float>> kept_;
  std::vector<View<const float, 2>> views_;
  int count_ = 0;
  std::vector<std::int32_t> tokens_ = std::vector<std::int32_t>(kSteps);
  std::vector<float> confidence_ = std::vector<float>(kSteps);
};

class FeatureDrafterOf : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(EveryLayout, FeatureDrafterOf,
                         ::testing::Values("eagle3_speculators", "eagle3_published", "eagle3_two_layers",
                                           "eagle3_norm_before_fc", "eagle3_fc_norm", "eagle3_deepspec",
                                           "mtp_qwen3"),
                         [](const auto& drafter) { return std::string(drafter.param); });

TEST_P(FeatureDrafterOf, DraftsFromTheDistributionsOfTheReference) {
  ForcedDrafts drafts(GetParam(), ElementType::kF32);
  const auto rows = static_cast<std::int32_t>(drafts.rows());
  for (const std::int32_t last : {0, 1, 7, 13, rows - 3, rows - 1})
    EXPECT_LT(drafts.difference(last, last % 2 == 0 ? 100 : 5), kTolerance) << "row " << last;
}

TEST_P(FeatureDrafterOf, GreedyTextIsThatOfTheTargetAlone) {
  for (const ElementType type : {ElementType::kF32, ElementType::kBf16}) {
    ServedModel plain("qwen3_tied", type);
    ServedModel model("qwen3_tied", type, *drafter_target_layers(drafter_data(GetParam()), plain.config));
    for (const std::size_t batch : {1u, 3u, 16u}) {
      SCOPED_TRACE(fmt::format("{} requests", batch));
      const auto requests = some_requests(batch, 24, 0);
      ServedTexts alone = plain.served(nullptr, 0);
      alone.serve(requests);
      const auto drafter = open(GetParam(), model);
      ServedTexts drafted = model.served(drafter.get(), drafter->block_size());
      drafted.serve(requests);
      EXPECT_EQ(drafted.replies, alone.replies);
      EXPECT_GT(drafted.submitted, 0);
    }
  }
}

TEST_P(FeatureDrafterOf, WhatItDraftsDependsNeitherOnPreemptionNorOnNeighbours) {
  ServedModel model("qwen3_tied", ElementType::kF32);
  ServedModel kept("qwen3_tied", ElementType::kF32,
                   *drafter_target_layers(drafter_data(GetParam()), model.config));
  for (const float temperature : {0.0F, 1.0F}) {
    const auto requests = some_requests(9, 30, temperature);
    const auto serve = [&](int kv_blocks, int sequences, std::size_t max_rows) {
      const auto drafter = open(GetParam(), kept, {.max_rows = max_rows});
      ServedTexts served = kept.served(drafter.get(), drafter->block_size());
      served.engine.kv_blocks = kv_blocks;
      served.engine.max_num_seqs = sequences;
      served.engine.max_num_batched_tokens = 50;
      served.serve(requests);
      return served;
    };
    const ServedTexts together = serve(256, 16, 256);
    const ServedTexts alone = serve(256, 1, 16);
    EXPECT_EQ(alone.replies, together.replies);
    EXPECT_EQ(alone.accepted, together.accepted) << "the same drafts";
    const ServedTexts preempted = serve(14, 16, 16);
    EXPECT_GT(preempted.preemptions, 0);
    if (temperature == 0) {
      EXPECT_EQ(preempted.replies, together.replies);
    }
  }
}

}  // namespace
}  // namespace dspark
