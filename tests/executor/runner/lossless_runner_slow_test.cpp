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

TEST(LosslessRunner, EveryPolicyKeepsTheTargetsDistribution) {
  std::vector<std::pair<double, std::string>> tests;
  for (const std::string& policy : depth_policy_names()) {
    if (policy == "oracle") continue;  // sees outcomes, which a real machine does not know
    for (const char* drafter : {"toy", "ngram"}) {
      ServedTexts served = system(drafter);
      served.policy = policy;
      served.policy_parameters = required_parameters(policy);
      tests.emplace_back(fit(served, 200'000), fmt::format("{} with {}", policy, drafter));
    }
  }
  EXPECT_EQ(holm_rejected(tests, kLevel), std::vector<std::string>{});
}

TEST(LosslessRunner, RulesThatAnticipateAreRejected) {
  ServedTexts retrospective = system("toy");
  retrospective.own_policy = [] { return std::make_unique<testing::RetrospectiveSearch>(); };
  EXPECT_LT(fit(retrospective, 200'000), 1e-6);

  ServedTexts chosen = system("toy");
  chosen.policy = "threshold";
  chosen.policy_parameters = written_map({{"threshold", written("0.4")}});
  chosen.chosen_confidence = true;
  EXPECT_LT(fit(chosen, 200'000), 1e-6);
}

}  // namespace
}  // namespace dspark
