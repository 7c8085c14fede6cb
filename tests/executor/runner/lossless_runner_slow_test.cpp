// What the real runner writes at temperature 1 under every policy is distributed as what the target alone
// writes: measured on continuations of a fixed prompt against exactly computed probabilities. A toy target in
// the place of a model, the real engine, runner and kernels.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/executor/runner/continuation_law.h"
#include "tests/executor/runner/served_texts.h"
#include "tests/policies/depth/planted_faults.h"

namespace dspark {
namespace {

using testing::continuation_law;
using testing::count_continuations;
using testing::goodness_of_fit;
using testing::holm_rejected;
using testing::required_parameters;
using testing::ServedTexts;
using testing::written;
using testing::written_map;

constexpr int kLength = 3;
constexpr double kLevel = 0.001;
constexpr double kRejected =
    1e-12;  // far below any level: the statistic lies tens of standard deviations out
const std::vector<std::int32_t> kPrompt = {1, 3, 0, 1, 3};

ServedTexts system(const std::string& drafter) {
  ServedTexts served;
  served.language = {.vocab_size = 5, .order = 3, .spread = 1.5f};
  served.drafter = drafter;
  served.block_size = 3;
  return served;
}

double fit(ServedTexts& served, std::size_t continuations) {
  // One token more than is looked at, so that the last round's block is not capped at nothing.
  served.serve(std::vector<GivenRequest>(continuations,
                                         {.prompt = kPrompt, .output_limit = kLength + 3, .temperature = 1}));
  for (auto& reply : served.replies) reply.resize(kLength);
  return goodness_of_fit(count_continuations(served.replies, served.language.vocab_size, kLength),
                         continuation_law(served.language, kPrompt, kLength));
}

TEST(LosslessRunner, EveryPolicyThatSaysSoKeepsTheTargetsDistribution) {
  std::vector<std::pair<double, std::string>> tests;
  for (const std::string& policy : depth_policy_names()) {
    Parameters parameters(required_parameters(policy));
    if (!make_depth_policy(policy, parameters)->traits().lossless) continue;
    for (const char* drafter : {"toy", "ngram"}) {
      ServedTexts served = system(drafter);
      served.policy = policy;
      served.policy_parameters = required_parameters(policy);
      tests.emplace_back(fit(served, 200'000), fmt::format("{} with {}", policy, drafter));
    }
  }
  EXPECT_GT(tests.size(), 40u);
  EXPECT_EQ(holm_rejected(tests, kLevel), std::vector<std::string>{});
}

// The same test rejects what is known to change the output, so it can fail.

TEST(LosslessRunner, TheRetrospectiveSearchIsRejected) {
  ServedTexts served = system("toy");
  served.own_policy = [] { return std::make_unique<testing::RetrospectiveSearch>(); };
  served.engine.max_num_seqs = 1;
  // The jagged costs of the paper's appendix A: one more token is dear, the next two are cheap.
  served.belief.verify_table = *CostTable::make({{1, 1}, {2, 2}, {3, 2.05}, {4, 2.1}}, {}, "appendix A");
  EXPECT_LT(fit(served, 200'000), kRejected);
}

TEST(LosslessRunner, TheConfidenceOfTheChosenTokenIsRejected) {
  ServedTexts served = system("toy");
  served.policy = "threshold";
  served.policy_parameters = written_map({{"threshold", written("0.4")}});
  served.chosen_confidence = true;
  EXPECT_LT(fit(served, 200'000), kRejected);
}

TEST(LosslessRunner, TetrisByTheProbabilityOfChosenTokensIsRejected) {
  ServedTexts served = system("toy");
  served.policy = "tetris";
  served.policy_parameters = required_parameters("tetris");
  EXPECT_LT(fit(served, 200'000), kRejected);
}

}  // namespace
}  // namespace dspark
