#include "kernels/cpu/sampling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/kernels/cpu/cases.h"

namespace dspark {
namespace {

using cases::view;

/// Logits of a spread; every `step` wide so that many are equal, 0: none.
std::vector<float> logits(std::size_t count, std::uint32_t seed, float spread, float step) {
  auto x = cases::numbers(count, seed);
  for (float& value : x) {
    value *= spread;
    if (step > 0) value = std::round(value / step) * step;
  }
  return x;
}

/// The contract by a whole sort, in f64.
std::vector<double> naive(const std::vector<float>& x, const SamplingRule& rule) {
  std::vector<std::size_t> order(x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return x[a] > x[b]; });
  std::vector<double> p(x.size());
  if (rule.temperature == 0) {
    p[order[0]] = 1;
    return p;
  }
  if (rule.top_k > 0) order.resize(std::min(order.size(), static_cast<std::size_t>(rule.top_k)));
  const auto scale = [&] {
    double total = 0;
    for (const std::size_t i : order) total += p[i];
    for (const std::size_t i : order) p[i] /= total;
  };
  const auto keep = [&](std::size_t count) {
    for (std::size_t i = count; i < order.size(); ++i) p[order[i]] = 0;
    order.resize(count);
    scale();
  };
  for (const std::size_t i : order)
    p[i] = std::exp((double{x[i]} - double{x[order[0]]}) / double{rule.temperature});
  scale();
  std::size_t count = 0;
  for (double before = 0; count < order.size() && before < double{rule.top_p}; ++count)
    before += p[order[count]];
  if (rule.top_p < 1) keep(count);
  for (count = 0; count < order.size() && p[order[count]] >= double{rule.min_p} * p[order[0]];) ++count;
  keep(count);
  return p;
}

TEST(Probabilities, AreThoseOfAWholeSortForAllRulesAndTies) {
  const SamplingRule rules[] = {{.temperature = 0},
                                {.temperature = 1},
                                {.temperature = 0.3f},
                                {.temperature = 1, .top_k = 1},
                                {.temperature = 2, .top_k = 50},
                                {.temperature = 1, .top_k = 100000},
                                {.temperature = 1, .top_p = 0.9f},
                                {.temperature = 0.7f, .top_p = 1e-6f},
                                {.temperature = 1, .min_p = 0.05f},
                                {.temperature = 0.8f, .top_k = 40, .top_p = 0.95f, .min_p = 0.01f},
                                {.temperature = 5, .top_k = 300, .top_p = 0.5f}};
  const auto kernels = cases::kernels(ElementType::kF32, 2);
  const std::size_t rows = std::size(rules);
  for (const std::size_t count : {1u, 2u, 17u, 1000u, 32768u}) {
    for (const float spread : {0.5f, 8.0f}) {
      for (const float step : {0.0f, 0.25f}) {
        std::vector<float> p;
        for (std::size_t r = 0; r < rows; ++r) {
          const auto row = logits(count, static_cast<std::uint32_t>(r), spread, step);
          p.insert(p.end(), row.begin(), row.end());
        }
        kernels->probabilities(view<2>(p, {rows, count}), rules);
        for (std::size_t r = 0; r < rows; ++r) {
          const auto want = naive(logits(count, static_cast<std::uint32_t>(r), spread, step), rules[r]);
          for (std::size_t i = 0; i < count; ++i) {
            const double got = p[r * count + i];
            ASSERT_EQ(got > 0, want[i] > 0)
                << "rule " << r << " of " << count << " at " << i << ' ' << want[i];
            // An exponent of up to 60 is off by 60 · 2^-24.
            ASSERT_NEAR(got, want[i], 5e-6 * want[i]) << "rule " << r << " of " << count << " at " << i;
          }
        }
      }
    }
  }
}

TEST(Probabilities, KeepTheSmallerIdsOfEqualLogits) {
  const auto kernels = cases::kernels();
  std::vector<float> p = {1, 2, 0.0f, 2, 2, -0.0f, 2};
  const SamplingRule rule{.temperature = 1, .top_k = 2};
  kernels->probabilities(view<2>(p, {1, 7}), {&rule, 1});
  EXPECT_EQ(p, (std::vector<float>{0, 0.5f, 0, 0.5f, 0, 0, 0}));
  std::vector<float> q = {-1, -0.0f, 0.0f};
  const SamplingRule one{.temperature = 1, .top_k = 1};
  kernels->probabilities(view<2>(q, {1, 3}), {&one, 1});
  EXPECT_EQ(q, (std::vector<float>{0, 1, 0}));
}

TEST(Largest, IsTheFirstOfTheLargest) {
  const auto kernels = cases::kernels(ElementType::kF32, 2);
  for (const std::size_t count : {1u, 7u, 8u, 9u, 1000u}) {
    std::vector<float> x;
    for (std::uint32_t r = 0; r < 40; ++r) {
      const auto row = logits(count, r, 2, r % 2 == 0 ? 0.5f : 0.0f);
      x.insert(x.end(), row.begin(), row.end());
    }
    std::vector<std::int32_t> got(40);
    kernels->largest(view<2>(std::as_const(x), {40, count}), got);
    for (std::size_t r = 0; r < 40; ++r) {
      const auto row = x.begin() + static_cast<std::ptrdiff_t>(r * count);
      ASSERT_EQ(got[r], std::max_element(row, row + static_cast<std::ptrdiff_t>(count)) - row);
    }
  }
}

TEST(Signals, AreTheNaiveOnes) {
  const auto kernels = cases::kernels(ElementType::kF32, 2);
  const std::vector<SamplingRule> rules = {
      {.temperature = 0}, {.temperature = 0.5f, .top_k = 3}, {.temperature = 2}};
  for (const std::size_t count : {2u, 9u, 1001u}) {
    std::vector<float> x;
    for (std::uint32_t r = 0; r < 3; ++r) {
      const auto row = logits(count, r, 6, 0);
      x.insert(x.end(), row.begin(), row.end());
    }
    std::vector<float> top1(3), margin(3), entropy(3);
    kernels->signals(view<2>(std::as_const(x), {3, count}), rules, {top1, margin, entropy});
    for (std::size_t r = 0; r < 3; ++r) {
      auto row = std::vector<float>(x.begin() + static_cast<std::ptrdiff_t>(r * count),
                                    x.begin() + static_cast<std::ptrdiff_t>((r + 1) * count));
      const double temperature = rules[r].temperature == 0 ? 1.0 : double{rules[r].temperature};
      std::sort(row.rbegin(), row.rend());
      double total = 0, want = 0;
      for (const float l : row) total += std::exp((double{l} - double{row[0]}) / temperature);
      for (const float l : row) {
        const double p = std::exp((double{l} - double{row[0]}) / temperature) / total;
        want -= p * std::log(p);
      }
      EXPECT_NEAR(top1[r], 1 / total, 1e-6);
      EXPECT_NEAR(margin[r], (double{row[0]} - double{row[1]}) / temperature, 1e-6 * (1 + margin[r]));
      EXPECT_NEAR(entropy[r], want, 2e-6 * (1 + want));
    }
  }
}

TEST(Signals, OfACertainTokenAreOneAndNoEntropy) {
  const auto kernels = cases::kernels();
  const std::vector<float> x = {-1e4f, 1e4f, -INFINITY};
  const SamplingRule rule{.temperature = 1};
  float top1 = 0, margin = 0, entropy = 1;
  kernels->signals(view<2>(x, {1, 3}), {&rule, 1}, {{&top1, 1}, {&margin, 1}, {&entropy, 1}});
  EXPECT_EQ(top1, 1);
  EXPECT_EQ(margin, 2e4f);
  EXPECT_EQ(entropy, 0);
}

TEST(Draw, TakesTheFirstTokenWhoseCumulatedProbabilityExceedsTheUniform) {
  const std::vector<float> p = {0, 0.25f, 0, 0.5f, 0.25f, 0};
  EXPECT_EQ(sampling::draw(p, 1e-9), 1);
  EXPECT_EQ(sampling::draw(p, 0.2499), 1);
  EXPECT_EQ(sampling::draw(p, 0.25), 3);
  EXPECT_EQ(sampling::draw(p, 0.75), 4);
  EXPECT_EQ(sampling::draw(std::vector<float>{0.25f, 0.25f, 0}, 0.9),
            1);  // rounding leaves none: the last with any
}

TEST(Draw, ReadsTheUniformFromItsKeyAsRandom123Does) {
  // Philox4x32-10's published answers: counter and key all zero, and all ones.
  EXPECT_EQ(sampling::uniform({}), (0x6627e8d5 + 0.5) * 0x1p-32);
  const std::uint32_t ones = 0xffffffffu;
  EXPECT_EQ(sampling::uniform({{ones, ones}, {ones, ones, ones, ones}}), (0x408f276d + 0.5) * 0x1p-32);
}

}  // namespace
}  // namespace dspark
