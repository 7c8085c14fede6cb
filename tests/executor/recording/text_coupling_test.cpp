#include "executor/recording/text_coupling.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "sim/random/random_key.h"
#include "tests/executor/runner/continuation_law.h"

namespace dspark {
namespace {

constexpr std::size_t kVocabulary = 4;
using Distribution = std::array<float, kVocabulary>;

double uniform(std::uint32_t word) { return (static_cast<double>(word) + 0.5) * 0x1p-32; }

std::size_t drawn_from(const Distribution& probabilities, double uniform) {
  double sum = 0;
  std::size_t token = 0;
  while (token + 1 < kVocabulary && (sum += static_cast<double>(probabilities[token])) <= uniform) ++token;
  return token;
}

/// Of speculative sampling: (text token, drafted token, accepted), text · 8 + drafted · 2 + accepted.
std::vector<double> round_law(const Distribution& target, const Distribution& draft) {
  std::vector<double> law(kVocabulary * kVocabulary * 2);
  double residual_mass = 0;
  std::array<double, kVocabulary> residual{};
  for (std::size_t v = 0; v < kVocabulary; ++v)
    residual_mass += residual[v] = std::max(0.0, double{target[v]} - double{draft[v]});
  for (std::size_t x = 0; x < kVocabulary; ++x) {
    const double accepted = std::min(double{draft[x]}, double{target[x]});
    law[x * 8 + x * 2 + 1] += accepted;
    for (std::size_t y = 0; y < kVocabulary; ++y)
      law[y * 8 + x * 2] += (double{draft[x]} - accepted) * residual[y] / residual_mass;
  }
  return law;
}

TEST(TextCoupling, HasTheLawOfSpeculativeSamplingGivenItsText) {
  const Distribution target = {0.5F, 0.25F, 0.25F, 0};
  const Distribution draft = {0.125F, 0.375F, 0.25F, 0.25F};
  const RandomKey key = make_random_key(11, 0);
  std::vector<std::int64_t> counts(kVocabulary * kVocabulary * 2);
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    const RandomWords words = draw_words(key, Stream::kDenseRound, i, 0);
    const auto text = static_cast<std::int32_t>(drawn_from(target, uniform(words[0])));
    const double coin = uniform(words[1]), redraw = uniform(words[2]);
    TextCoupling coupling({&text, 1}, target, {&coin, 1}, {&redraw, 1});
    const auto x = static_cast<std::size_t>(coupling.choose(1, draft, 0));
    ASSERT_GT(draft[x], 0);
    ASSERT_FLOAT_EQ(coupling.acceptance().at(0), 0.625F);
    ++counts[static_cast<std::size_t>(text) * 8 + x * 2 + static_cast<std::size_t>(coupling.accepted())];
  }
  EXPECT_GT(::dspark::testing::goodness_of_fit(counts, round_law(target, draft)), 1e-4);
}

TEST(TextCoupling, LeavesWhatIsDraftedBehindARejectionAsItWasDrawn) {
  const std::vector<float> target = {1, 0, 0, 0, 1, 0, 0, 0};
  const Distribution draft = {0, 0.5F, 0.5F, 0};
  const std::vector<std::int32_t> text = {0, 0};
  const std::vector<double> coins = {0.5, 0.5}, redraws = {0.75, 0.75};
  TextCoupling coupling(text, target, coins, redraws);
  EXPECT_EQ(coupling.choose(1, draft, 1), 2) << "of the rejected ones, by the redraw and not as drawn";
  EXPECT_EQ(coupling.choose(2, draft, 1), 1);
  EXPECT_EQ(coupling.accepted(), 0);
  EXPECT_EQ(coupling.acceptance(), std::vector<float>{0}) << "behind a rejection nothing is known";
}

TEST(TextCoupling, AcceptsWhateverTheTextSaysWhereBothDistributionsAreTheSame) {
  const Distribution same = {0.5F, 0.25F, 0.125F, 0.125F};
  for (std::int32_t text = 0; text < 4; ++text) {
    const double coin = 1 - 0x1p-33, redraw = 0.5;
    TextCoupling coupling({&text, 1}, same, {&coin, 1}, {&redraw, 1});
    EXPECT_EQ(coupling.choose(1, same, 3), text);
    EXPECT_EQ(coupling.accepted(), 1);
  }
}

}  // namespace
}  // namespace dspark
