// What a real decoder writes above temperature 0, under every policy and with every kind of drafter, is
// distributed as what it writes alone: measured on continuations of fixed prompts against exactly computed
// probabilities. Tiny random checkpoints; the real engine, runner, drafters and kernels.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "executor/drafter/drafter_choice.h"
#include "tests/executor/drafter/counted_model.h"
#include "tests/executor/drafter/wrapped_drafter.h"
#include "tests/executor/runner/continuation_law.h"
#include "tests/executor/runner/served_texts.h"
#include "tests/policies/depth/planted_faults.h"

namespace dspark {
namespace {

using testing::ChosenConfidence;
using testing::CountedModel;
using testing::kCountedVocabulary;
using testing::required_parameters;
using testing::ServedTexts;
using testing::written;
using testing::written_map;

constexpr int kLength = 3;
constexpr std::size_t kContinuations = 200'000;
constexpr double kLevel = 0.001;  // of all tests together
const std::vector<std::int32_t> kPrompts[] = {{3, 3}, {5, 2}};

/// A drafter by name, of the two folders of checkpoints.
std::string folder_of(const std::string& drafter) {
  return drafter == "ngram"               ? drafter
         : drafter == "llama_tied_llama3" ? model_data() + drafter
                                          : drafter_data() + drafter;
}

struct Case {
  std::string policy;
  std::string drafter = "dspark_vanilla";
  SamplingRule rule = {.temperature = 1};

  friend void PrintTo(const Case& c, std::ostream* out) {
    *out << fmt::format("{} with {} at temperature {}, top_k {}, top_p {}, min_p {}", c.policy, c.drafter,
                        c.rule.temperature, c.rule.top_k, c.rule.top_p, c.rule.min_p);
  }
};

/// Every lossless policy with DSpark, every other kind of drafter under a fixed depth and under one that its
/// confidences choose, and every way to choose a token.
std::vector<Case> cases() {
  std::vector<Case> cases;
  for (const std::string& policy : depth_policy_names()) {
    Parameters parameters(required_parameters(policy));
    if (make_depth_policy(policy, parameters)->traits().lossless) cases.push_back({policy});
  }
  for (const char* drafter : {"dflash", "eagle3_two_layers", "mtp_qwen3", "llama_tied_llama3", "ngram"})
    for (const char* policy : {"fixed", "threshold"}) cases.push_back({policy, drafter});
  const SamplingRule rules[] = {{.temperature = 0.6F},
                                {.temperature = 1, .top_k = 3},
                                {.temperature = 1, .top_p = 0.8F},
                                {.temperature = 1, .min_p = 0.2F}};
  for (const SamplingRule& rule : rules) cases.push_back({"fixed", "dspark_vanilla", rule});
  return cases;
}

/// Holm's procedure over all cases and prompts rejects something just where the smallest p is not above this.
double strictest_level() { return kLevel / static_cast<double>(cases().size() * std::size(kPrompts)); }

ServedTexts system(CountedModel& model, Drafter& drafter, const std::string& policy) {
  ServedTexts served;
  served.own_kernels = &model.kernels();
  served.own_target = &model.target();
  served.own_drafter = &drafter;
  served.policy = policy;
  served.policy_parameters = required_parameters(policy, CountedModel::kMostRequests);
  served.engine = {.max_num_seqs = CountedModel::kMostRequests,
                   .max_num_batched_tokens = CountedModel::kMostRows,
                   .kv_blocks = CountedModel::kBlocks,
                   .block_tokens = CountedModel::kBlockTokens};
  // Cheap enough that policies that weigh tokens against time verify some of them, dear enough that not all.
  served.belief = {.verify_affine = {.bias_seconds = 1, .seconds_per_token = 0.006}};
  return served;
}

std::vector<double> law_behind(CountedModel& model, const std::vector<std::int32_t>& prompt, int length,
                               const SamplingRule& rule) {
  return testing::continuation_law(
      [&](const std::vector<std::int32_t>& text) {
        return testing::probabilities_of(model.logits(text), rule);
      },
      prompt, length);
}

/// Replies of at least kLength tokens. One token more is asked for, so that the second and the third can both
/// be drafted in one block.
void serve(ServedTexts& served, const std::vector<std::int32_t>& prompt, std::size_t continuations,
           float temperature) {
  served.serve(std::vector<GivenRequest>(
      continuations, {.prompt = prompt, .output_limit = kLength + 1, .temperature = temperature}));
}

using LosslessRunner = ::testing::TestWithParam<Case>;

TEST_P(LosslessRunner, WritesByTheTargetsDistribution) {
  const Case& c = GetParam();
  CountedModel model(folder_of(c.drafter));
  const auto calibration = calibration_for(&model.drafter());
  ServedTexts served = system(model, model.drafter(), c.policy);
  served.sampling = c.rule;
  served.calibration = calibration.get();
  for (const auto& prompt : kPrompts) {
    serve(served, prompt, kContinuations / std::size(kPrompts), c.rule.temperature);
    const double p =
        testing::goodness_of_fit(testing::count_continuations(served.replies, kCountedVocabulary, kLength),
                                 law_behind(model, prompt, kLength, c.rule));
    EXPECT_GT(p, strictest_level()) << "behind " << prompt.size() << " tokens";
  }
  if (c.policy == "none") return;
  EXPECT_GT(served.accepted, 0);
  EXPECT_LT(served.accepted, served.submitted);
}

INSTANTIATE_TEST_SUITE_P(EveryCase, LosslessRunner, ::testing::ValuesIn(cases()), [](const auto& tested) {
  const Case& c = tested.param;
  return fmt::format("{}_{}_t{}_k{}_p{}_m{}", c.policy, c.drafter, std::lround(100 * c.rule.temperature),
                     c.rule.top_k, std::lround(100 * c.rule.top_p), std::lround(100 * c.rule.min_p));
});

// The same test rejects what is known to change the output, so it can fail.

/// All of 300 independent batches of continuations are rejected at the strictest level of the test above:
/// with a confidence of 0.95 (0.99^300 = 0.049) the power is at least 0.99, at a hundredth of its
/// continuations.
void expect_power(CountedModel& model, ServedTexts& served) {
  constexpr std::size_t kBatches = 300, kBatch = kContinuations / 100;
  served.sampling = {.temperature = 1};
  serve(served, kPrompts[0], kBatches * kBatch, 1);
  const auto law = law_behind(model, kPrompts[0], kLength, served.sampling);
  std::size_t rejected = 0;
  for (std::size_t i = 0; i < kBatches; ++i) {
    const auto replies =
        std::span<const std::vector<std::int32_t>>(served.replies).subspan(i * kBatch, kBatch);
    const auto counts = testing::count_continuations(replies, kCountedVocabulary, kLength);
    if (testing::goodness_of_fit(counts, law) <= strictest_level()) ++rejected;
  }
  EXPECT_EQ(rejected, kBatches);
}

TEST(LosslessRunnerPower, TheRetrospectiveSearchIsRejected) {
  CountedModel model(folder_of("dspark_vanilla"));
  ServedTexts served = system(model, model.drafter(), "none");
  served.own_policy = [] { return std::make_unique<testing::RetrospectiveSearch>(); };
  served.engine.max_num_seqs = 1;  // continuations that do not know of each other
  // Jagged, as in the paper's appendix A: one more token is dear, two are cheap where the second is likely.
  served.belief.verify_table = *CostTable::make({{1, 1}, {2, 2}, {3, 1.541}}, {}, "appendix A");
  expect_power(model, served);
}

TEST(LosslessRunnerPower, TheConfidenceOfTheChosenTokenIsRejected) {
  CountedModel model(folder_of("dspark_vanilla"));
  ChosenConfidence drafter(model.drafter());
  ServedTexts served = system(model, drafter, "threshold");
  served.policy_parameters = written_map({{"threshold", written("0.2")}});
  expect_power(model, served);
}

// Its requests share a capacity, so that batches of theirs are not independent: one test of all.
TEST(LosslessRunnerPower, TetrisByTheProbabilityOfChosenTokensIsRejected) {
  CountedModel model(folder_of("dspark_vanilla"));
  ServedTexts served = system(model, model.drafter(), "tetris");
  served.policy_parameters = written_map({{"capacity_per_request", written("1")}});
  serve(served, kPrompts[0], kContinuations / 10, 1);
  const auto counts = testing::count_continuations(served.replies, kCountedVocabulary, kLength);
  EXPECT_LT(testing::goodness_of_fit(counts, law_behind(model, kPrompts[0], kLength, {.temperature = 1})),
            strictest_level());
}

}  // namespace
}  // namespace dspark
