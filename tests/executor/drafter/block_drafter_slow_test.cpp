// What a real target writes at temperature 1 with block drafters is distributed as what it writes alone.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/executor/drafter/drafted_model.h"
#include "tests/executor/drafter/wrapped_drafter.h"
#include "tests/executor/runner/continuation_law.h"
#include "tests/executor/runner/served_texts.h"

namespace dspark {
namespace {

constexpr std::size_t kVocabulary = 64;
constexpr int kLength = 2;  // the prompt's own token, and the first that was drafted
constexpr std::size_t kContinuations = 20'000;
const std::vector<std::int32_t> kPrompt = {9, 30, 12, 41};

/// Says that its drafts were drawn evenly, which they were not.
class EvenDrafter final : public ::dspark::testing::WrappedDrafter {
 public:
  using WrappedDrafter::WrappedDrafter;
  void draft(std::span<const DraftRequest> requests, const DraftBlocks& blocks) override {
    inner_.draft(requests, blocks);
    rows_ = static_cast<std::size_t>(block_size()) * blocks.stride;
    even_.assign(rows_ * kVocabulary, 1.0F / kVocabulary);
  }
  View<const float, 2> distributions() const override { return {even_.data(), {rows_, kVocabulary}}; }

 private:
  std::size_t rows_ = 0;
  std::vector<float> even_;
};

std::vector<double> law_of_target() {
  DecoderSteps target("qwen3_tied", ElementType::kF32);
  return ::dspark::testing::continuation_law(
      [&](const std::vector<std::int32_t>& text) {
        const std::vector<float> logits = target.run(text, {}).logits;
        return ::dspark::testing::probabilities_of(std::span(logits).last(kVocabulary), {.temperature = 1});
      },
      kPrompt, kLength);
}

double fit(DraftedModel& model, Drafter& drafter, const std::string& policy) {
  auto cache = KvCache::make(model.decoder().plan(), 256, 8, model.kernels());
  DecoderTarget target(model.decoder(), *cache);
  ::dspark::testing::ServedTexts served;
  served.own_kernels = &model.kernels();
  served.own_target = &target;
  served.own_drafter = &drafter;
  served.engine.block_tokens = 8;
  served.policy = policy;
  served.policy_parameters = policy == "fixed"
                                 ? ::dspark::testing::written_map({{"k", ::dspark::testing::written("2")}})
                                 : ::dspark::testing::required_parameters(policy);
  served.serve(std::vector<GivenRequest>(kContinuations,
                                         {.prompt = kPrompt, .output_limit = kLength + 2, .temperature = 1}));
  EXPECT_GT(served.accepted, 0);
  return ::dspark::testing::goodness_of_fit(
      ::dspark::testing::count_continuations(served.replies, kVocabulary, kLength), law_of_target());
}

TEST(LosslessBlockDrafter, KeepsTheTargetsDistribution) {
  std::vector<std::pair<double, std::string>> tests;
  for (const std::string name : {"dspark_vanilla", "speculators_dspark_rnn", "dflash"}) {
    for (const std::string policy : {"fixed", "dspark"}) {
      DraftedModel model(drafter_data() + name);
      tests.emplace_back(fit(model, model.drafter(), policy), name + " with " + policy);
    }
  }
  EXPECT_EQ(::dspark::testing::holm_rejected(tests, 0.001), std::vector<std::string>{});
}

TEST(LosslessBlockDrafter, DraftsThatPassForEvenAreRejected) {
  DraftedModel model(drafter_data() + "dspark_vanilla");
  EvenDrafter even(model.drafter());
  EXPECT_LT(fit(model, even, "fixed"), 1e-12);
}

}  // namespace
}  // namespace dspark
