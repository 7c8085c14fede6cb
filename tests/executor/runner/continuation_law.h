#pragma once

#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/executor/runner/toy_model.h"

namespace dspark::testing {

/// Probabilities of all texts of `length` tokens behind a prompt, the target alone at temperature 1. Text t_1
/// t_2 ... has index t_1 · V^(length - 1) + t_2 · ...
inline std::vector<double> continuation_law(const ToyLanguage& language,
                                            const std::vector<std::int32_t>& prompt, int length) {
  std::vector<std::pair<std::vector<std::int32_t>, double>> texts = {{prompt, 1.0}};
  for (int i = 0; i < length; ++i) {
    std::vector<std::pair<std::vector<std::int32_t>, double>> longer;
    for (const auto& [text, probability] : texts) {
      const std::vector<float> logits = language.logits(text);
      double sum = 0;
      for (const float x : logits) sum += std::exp(static_cast<double>(x));
      for (std::size_t v = 0; v < logits.size(); ++v) {
        longer.emplace_back(text, probability * std::exp(static_cast<double>(logits[v])) / sum);
        longer.back().first.push_back(static_cast<std::int32_t>(v));
      }
    }
    texts = std::move(longer);
  }
  std::vector<double> law;
  for (const auto& [text, probability] : texts) law.push_back(probability);
  return law;
}

inline std::vector<std::int64_t> count_continuations(const std::vector<std::vector<std::int32_t>>& replies,
                                                     std::size_t vocab_size, int length) {
  std::size_t cells = 1;
  for (int i = 0; i < length; ++i) cells *= vocab_size;
  std::vector<std::int64_t> counts(cells);
  for (const std::vector<std::int32_t>& reply : replies) {
    std::size_t index = 0;
    for (const std::int32_t token : reply) index = index * vocab_size + static_cast<std::size_t>(token);
    ++counts.at(index);
  }
  return counts;
}

/// Probability of a Pearson statistic as large as that of `counts` under `law`. Cells that expect fewer than
/// ten are one.
inline double goodness_of_fit(const std::vector<std::int64_t>& counts, const std::vector<double>& law) {
  double all = 0;
  for (const std::int64_t n : counts) all += static_cast<double>(n);
  double statistic = 0, rest_expected = 0, rest_counted = 0;
  int cells = 0;
  const auto add = [&](double counted, double expected) {
    statistic += (counted - expected) * (counted - expected) / expected;
    ++cells;
  };
  for (std::size_t i = 0; i < law.size(); ++i) {
    const double expected = all * law[i];
    if (expected >= 10) {
      add(static_cast<double>(counts[i]), expected);
    } else {
      rest_expected += expected, rest_counted += static_cast<double>(counts[i]);
    }
  }
  if (rest_expected > 0) add(rest_counted, rest_expected);
  return boost::math::cdf(boost::math::complement(boost::math::chi_squared(cells - 1), statistic));
}

/// Holm's procedure: the names of the tests that are rejected with a family-wise error of `level`.
inline std::vector<std::string> holm_rejected(std::vector<std::pair<double, std::string>> tests,
                                              double level) {
  std::sort(tests.begin(), tests.end());
  std::vector<std::string> rejected;
  for (std::size_t i = 0; i < tests.size() && tests[i].first <= level / static_cast<double>(tests.size() - i);
       ++i) {
    rejected.push_back(tests[i].second);
  }
  return rejected;
}

}  // namespace dspark::testing
