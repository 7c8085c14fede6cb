#include "sim/random/variates.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace dspark {
namespace {

struct Moments {
  double mean = 0, variance = 0;
};
template <class Draw>
Moments moments(int n, Draw draw) {
  double sum = 0, squares = 0;
  for (int i = 0; i < n; ++i) {
    const double x = draw(static_cast<std::uint32_t>(i));
    sum += x;
    squares += x * x;
  }
  return {sum / n, squares / n - sum / n * sum / n};
}
constexpr int kDraws = 100000;

VariateKey at(std::uint32_t ordinal) { return {{7, 8}, Stream::kArrival, 3, ordinal}; }

// Four standard errors of the mean: 4 · deviation / √n.
TEST(Variates, HaveTheirMeansAndVariances) {
  const auto uniform = moments(kDraws, [](auto i) { return uniform_variate(at(i)); });
  EXPECT_NEAR(uniform.mean, 0.5, 4 * std::sqrt(1 / 12.0 / kDraws));
  const auto exponential = moments(kDraws, [](auto i) { return exponential_variate(at(i)); });
  EXPECT_NEAR(exponential.mean, 1, 4 / std::sqrt(kDraws));
  const auto normal = moments(kDraws, [](auto i) { return normal_variate(at(i)); });
  EXPECT_NEAR(normal.mean, 0, 4 / std::sqrt(kDraws));
  EXPECT_NEAR(normal.variance, 1, 4 * std::sqrt(2.0 / kDraws));
}

TEST(Variates, GammaHasMeanOneAndVarianceOneOverShape) {
  for (const double shape : {0.1, 0.5, 1.0, 4.0}) {
    const auto gamma = moments(kDraws, [&](auto i) { return gamma_variate(at(i), shape); });
    EXPECT_NEAR(gamma.mean, 1, 4 / std::sqrt(shape * kDraws)) << shape;
    // Variance of the sample variance: (excess kurtosis + 2) · variance² / n, excess kurtosis 6 / shape.
    EXPECT_NEAR(gamma.variance * shape, 1, 4 * std::sqrt((6 / shape + 2) / kDraws)) << shape;
  }
}

TEST(RandomKey, EveryPartOfTheKeyChangesTheDraw) {
  std::set<RandomWords> seen;
  const auto add = [&seen](RandomWords words) { return seen.insert(words).second; };
  const RandomKey key = make_random_key(1, 0);
  EXPECT_TRUE(add(draw_words(key, Stream::kAcceptance, 1, 2, 3, 4, 5)));
  EXPECT_FALSE(add(draw_words(key, Stream::kAcceptance, 1, 2, 3, 4, 5)));
  EXPECT_TRUE(add(draw_words(key, Stream::kDraftLatent, 1, 2, 3, 4, 5)));
  EXPECT_TRUE(add(draw_words(key, Stream::kAcceptance, 2, 2, 3, 4, 5)));
  EXPECT_TRUE(add(draw_words(key, Stream::kAcceptance, 1, 3, 3, 4, 5)));
  EXPECT_TRUE(add(draw_words(key, Stream::kAcceptance, 1, 2, 4, 4, 5)));
  EXPECT_TRUE(add(draw_words(key, Stream::kAcceptance, 1, 2, 3, 5, 5)));
  EXPECT_TRUE(add(draw_words(key, Stream::kAcceptance, 1, 2, 3, 4, 6)));
  EXPECT_TRUE(add(draw_words(make_random_key(1, 1), Stream::kAcceptance, 1, 2, 3, 4, 5)));
  EXPECT_TRUE(add(draw_words(make_random_key(2, 0), Stream::kAcceptance, 1, 2, 3, 4, 5)));
}

/// Known answer of Philox4x32-10 (Random123's own test vectors): counter and key all zero.
TEST(RandomKey, IsPhiloxAsPublished) {
  const RandomWords words = draw_words({0, 0}, Stream{0}, 0, 0);
  EXPECT_EQ(words, (RandomWords{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
}

}  // namespace
}  // namespace dspark
