#pragma once

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "kernels/kernels.h"

namespace dspark::testing {

/// What SamplingRule says, in doubles and without the kernels. The temperature is not 0.
inline std::vector<double> probabilities_of(std::span<const float> logits, const SamplingRule& rule) {
  std::vector<std::size_t> falling(logits.size());
  std::iota(falling.begin(), falling.end(), std::size_t{0});
  std::stable_sort(falling.begin(), falling.end(),
                   [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
  if (rule.top_k > 0) falling.resize(std::min(falling.size(), static_cast<std::size_t>(rule.top_k)));
  std::vector<double> result(logits.size());
  double sum = 0;
  const double largest = logits[falling[0]];
  for (const std::size_t v : falling) sum += result[v] = std::exp((logits[v] - largest) / rule.temperature);
  double before = 0, kept = 0;
  const double most = result[falling[0]];
  for (const std::size_t v : falling) {
    const double weight = result[v];
    if (before >= rule.top_p * sum || weight < rule.min_p * most) result[v] = 0;
    before += weight;
    kept += result[v];
  }
  for (double& p : result) p /= kept;
  return result;
}

/// Probabilities of all texts of `length` tokens behind a prompt, of the probabilities behind each text. Text
/// t_1 t_2 ... has index t_1 · V^(length - 1) + t_2 · ...
inline std::vector<double> continuation_law(
    const std::function<std::vector<double>(const std::vector<std::int32_t>&)>& probabilities_behind,
    const std::vector<std::int32_t>& prompt, int length) {
  std::vector<std::pair<std::vector<std::int32_t>, double>> texts = {{prompt, 1.0}};
  for (int i = 0; i < length; ++i) {
    std::vector<std::pair<std::vector<std::int32_t>, double>> longer;
    for (const auto& [text, probability] : texts) {
      const std::vector<double> next = probabilities_behind(text);
      for (std::size_t v = 0; v < next.size(); ++v) {
        longer.emplace_back(text, probability * next[v]);
        longer.back().first.push_back(static_cast<std::int32_t>(v));
      }
    }
    texts = std::move(longer);
  }
  std::vector<double> law;
  for (const auto& [text, probability] : texts) law.push_back(probability);
  return law;
}

inline std::vector<std::int64_t> count_continuations(std::span<const std::vector<std::int32_t>> replies,
                                                     std::size_t vocab_size, int length) {
  std::size_t cells = 1;
  for (int i = 0; i < length; ++i) cells *= vocab_size;
  std::vector<std::int64_t> counts(cells);
  for (const std::vector<std::int32_t>& reply : replies) {
    std::size_t index = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(length); ++i)
      index = index * vocab_size + static_cast<std::size_t>(reply.at(i));
    ++counts.at(index);
  }
  return counts;
}

/// Pearson's statistic over groups of counts, each of a law of its own.
class PearsonTest {
 public:
  /// Cells of a group are joined, the rarest first, until each expects at least so many.
  explicit PearsonTest(double least_expected) : least_(least_expected) {}

  void add(std::span<const std::int64_t> counts, std::span<const double> law) {
    const auto all = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
    std::vector<std::pair<double, double>> cells;  // expected, counted
    for (std::size_t i = 0; i < law.size(); ++i) {
      if (law[i] == 0 && counts[i] > 0) impossible_ = true;
      cells.emplace_back(all * law[i], static_cast<double>(counts[i]));
    }
    // By expectation alone: the counts must not say what is joined.
    std::stable_sort(cells.begin(), cells.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    double expected = 0, counted = 0;
    int joined = 0;
    for (const auto& [more_expected, more_counted] : cells) {
      expected += more_expected, counted += more_counted;
      if (expected < least_) continue;
      statistic_ += (counted - expected) * (counted - expected) / expected;
      expected = counted = 0;
      ++joined;
    }
    if (joined > 0) degrees_ += joined - 1;
  }

  /// Probability of a statistic as large. 0 where something happened that cannot; 1 where nothing could be
  /// tested.
  double p() const {
    if (impossible_) return 0;
    if (degrees_ == 0) return 1;
    return boost::math::cdf(boost::math::complement(boost::math::chi_squared(degrees_), statistic_));
  }

 private:
  double least_;
  double statistic_ = 0;
  int degrees_ = 0;
  bool impossible_ = false;
};

/// That of one group, whose cells expect at least ten.
inline double goodness_of_fit(const std::vector<std::int64_t>& counts, const std::vector<double>& law) {
  PearsonTest test(10);
  test.add(counts, law);
  return test.p();
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
