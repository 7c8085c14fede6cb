// What the pair that ships writes under every policy, with each of its drafters, is drawn token by token from
// the target's own distribution behind the text so far, as a pass of the target alone computes it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/executor/runner/served_pair.h"
#include "tests/policies/depth/planted_faults.h"

namespace dspark {
namespace {

using testing::ChosenConfidence;
using testing::PairServing;
using testing::required_parameters;
using testing::ServedPair;
using testing::TokenLawTests;
using testing::WrappedDrafter;
using testing::written;
using testing::written_map;

constexpr std::size_t kReplies = 28;  // behind each prompt, for a policy
// Of each test; there are 1152 (six cases, 23 policies and all of them together, eight tests each), so that
// any of them fails on a machine that is right with a probability of about 1e-6.
constexpr double kLevel = 1e-9;

/// Keys of the tests' own uniforms.
RandomKey key_of(std::uint32_t tests) { return make_random_key(11, tests); }

/// Every policy that can be served; TETRIS by its confidences, as it is lossless.
std::vector<PairServing> servings() {
  std::vector<PairServing> servings;
  for (const std::string& policy : depth_policy_names()) {
    if (policy == "oracle") continue;
    Value values = required_parameters(policy, ServedPair::kRequests);
    if (policy == "tetris")
      values = written_map({{"capacity_per_request", written("2")}, {"score", written("confidence")}});
    Parameters parameters(values);
    EXPECT_TRUE(make_depth_policy(policy, parameters)->traits().lossless) << policy;
    servings.push_back(
        {.policy = policy, .parameters = values, .replies = kReplies, .seed = servings.size()});
  }
  return servings;
}

struct Case {
  std::string drafter;
  SamplingRule rule;

  friend void PrintTo(const Case& c, std::ostream* out) {
    *out << fmt::format("{} at temperature {}, top_p {}", c.drafter, c.rule.temperature, c.rule.top_p);
  }
};

void expect_kept(const TokenLawTests& tests, const std::string& what) {
  for (const auto& [test, p] : tests.p_values()) EXPECT_GT(p, kLevel) << what << ": " << test;
}

class LosslessPair : public ::testing::TestWithParam<Case> {};

TEST_P(LosslessPair, DrawsEveryTokenFromTheTargetsDistribution) {
  ServedPair pair(GetParam().drafter, GetParam().rule);
  TokenLawTests together(key_of(0));
  std::uint32_t number = 0;
  for (const PairServing& serving : servings()) {
    TokenLawTests own(key_of(++number));
    const std::int64_t before = pair.accepted;
    pair.serve(serving, own);
    expect_kept(own, serving.policy);
    EXPECT_EQ(pair.accepted > before, serving.policy != "none") << serving.policy;
    together.add(own);
  }
  expect_kept(together, "all policies together");
  EXPECT_EQ(pair.outside, 0);
  EXPECT_LT(pair.accepted, pair.submitted);
  RecordProperty("tokens", static_cast<int>(together.tokens()));
  RecordProperty("uncertain", static_cast<int>(together.uncertain()));
}

constexpr SamplingRule kWhole{.temperature = 1}, kNucleus{.temperature = 0.7F, .top_p = 0.9F};

INSTANTIATE_TEST_SUITE_P(EveryDrafter, LosslessPair,
                         ::testing::Values(Case{"dspark", kWhole}, Case{"dspark", kNucleus},
                                           Case{"dflash", kWhole}, Case{"dflash", kNucleus},
                                           Case{"ngram", kWhole}, Case{"ngram", kNucleus}),
                         [](const auto& tested) {
                           return tested.param.drafter +
                                  (tested.param.rule.top_p < 1 ? "_nucleus" : "_whole");
                         });

// The same tests reject what is known to change the output, so they can fail.

/// The smallest of the tests' p after `batches` times the replies of one policy.
double rejection(ServedPair& pair, PairServing serving, std::size_t batches, std::uint64_t seed) {
  serving.replies = batches * kReplies;
  serving.seed = seed;
  TokenLawTests tests(key_of(static_cast<std::uint32_t>(seed)));
  pair.serve(serving, tests);
  double smallest = 1;
  for (const auto& [test, p] : tests.p_values()) smallest = std::min(smallest, p);
  return smallest;
}

constexpr std::uint64_t kSeeds[] = {101, 102};

class LosslessPairPower : public ::testing::TestWithParam<Case> {};

TEST_P(LosslessPairPower, TheConfidenceOfTheChosenTokenIsRejected) {
  ServedPair pair(GetParam().drafter, GetParam().rule);
  ChosenConfidence chosen(pair.drafter());
  const PairServing anticipates{.policy = "threshold",
                                .parameters = written_map({{"threshold", written("0.2")}}),
                                .own_drafter = &chosen};
  const std::size_t batches = GetParam().rule.top_p < 1 ? 4 : 2;
  for (const std::uint64_t seed : kSeeds) EXPECT_LT(rejection(pair, anticipates, batches, seed), kLevel);
}

TEST_P(LosslessPairPower, TetrisByTheProbabilityOfChosenTokensIsRejected) {
  ServedPair pair(GetParam().drafter, GetParam().rule);
  const PairServing anticipates{.policy = "tetris",
                                .parameters = written_map({{"capacity_per_request", written("2")}})};
  const std::size_t batches = GetParam().rule.top_p < 1 ? 8 : 3;
  for (const std::uint64_t seed : kSeeds) EXPECT_LT(rejection(pair, anticipates, batches, seed), kLevel);
}

INSTANTIATE_TEST_SUITE_P(EveryRule, LosslessPairPower,
                         ::testing::Values(Case{"dspark", kWhole}, Case{"dspark", kNucleus}),
                         [](const auto& tested) {
                           return tested.param.drafter +
                                  (tested.param.rule.top_p < 1 ? "_nucleus" : "_whole");
                         });

/// Says that its drafts were drawn at temperature 0.7, which were drawn at 1.
class SaysColder final : public WrappedDrafter {
 public:
  using WrappedDrafter::WrappedDrafter;
  void draft(std::span<const DraftRequest> requests, const DraftBlocks& blocks) override {
    inner_.draft(requests, blocks);
    const View<const float, 2> drawn_from = inner_.distributions();
    said_.assign(drawn_from.data, drawn_from.data + drawn_from.size());
    for (std::size_t row = 0; row < drawn_from.shape[0]; ++row) {
      const std::span<float> said = std::span(said_).subspan(row * drawn_from.shape[1], drawn_from.shape[1]);
      float sum = 0;
      for (float& p : said) sum += p = std::pow(p, 1 / 0.7F);
      for (float& p : said) p /= sum;
    }
  }
  View<const float, 2> distributions() const override {
    return said_.empty() ? View<const float, 2>()
                         : View<const float, 2>(said_.data(), {inner_.distributions().shape[0],
                                                               inner_.distributions().shape[1]});
  }

 private:
  std::vector<float> said_;
};

/// Says that its drafts were drawn from all of the distribution, which were drawn from the nucleus.
class SaysUncut final : public WrappedDrafter {
 public:
  using WrappedDrafter::WrappedDrafter;
  void draft(std::span<const DraftRequest> requests, const DraftBlocks& blocks) override {
    DraftBlocks asked = blocks;
    asked.soft_distributions = true;
    inner_.draft(requests, asked);
  }
  View<const float, 2> distributions() const override { return inner_.soft_distributions(); }
};

template <class Misread>
void expect_rejected(const SamplingRule& rule, std::size_t batches) {
  ServedPair pair("dspark", rule);
  Misread misread(pair.drafter());
  const PairServing fixed{.parameters = written_map({{"k", written("3")}}), .own_drafter = &misread};
  for (const std::uint64_t seed : kSeeds) EXPECT_LT(rejection(pair, fixed, batches, seed), kLevel) << seed;
}

TEST(LosslessPairMisread, DraftsReadAtAnotherTemperatureAreRejected) {
  expect_rejected<SaysColder>(kWhole, 4);
}

TEST(LosslessPairMisread, DraftsReadWithoutTopPAreRejected) {
  expect_rejected<SaysUncut>({.temperature = 1, .top_p = 0.5F}, 3);
}

}  // namespace
}  // namespace dspark
