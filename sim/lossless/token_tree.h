#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "policies/invariant.h"

namespace dspark {

constexpr int kLargestVocabulary =
    3;  // two tokens tell two draws apart; the third is for orders among others

/// A number for every prefix of 0 .. depth - 1 tokens: what is known before the next token is drawn. Prefixes
/// are kept by length, then as numbers in base `vocabulary`, first token first.
template <class T>
class TokenTree {
 public:
  TokenTree() = default;
  TokenTree(int vocabulary, int depth, const T& value = {}) : vocabulary_(vocabulary), depth_(depth) {
    DSPARK_INVARIANT(vocabulary >= 2 && vocabulary <= kLargestVocabulary && depth >= 1);
    std::size_t level = 1, all = 0;
    for (int d = 0; d < depth; ++d, level *= static_cast<std::size_t>(vocabulary)) all += level;
    nodes_.assign(all, value);
  }

  int vocabulary() const { return vocabulary_; }
  int depth() const { return depth_; }
  /// The value after `prefix`; shorter than depth().
  const T& after(std::span<const int> prefix) const { return nodes_[index(prefix)]; }
  T& after(std::span<const int> prefix) { return nodes_[index(prefix)]; }
  std::span<T> nodes() { return nodes_; }
  std::span<const T> nodes() const { return nodes_; }

 private:
  std::size_t index(std::span<const int> prefix) const {
    std::size_t first = 0, level = 1, code = 0;
    for (const int token : prefix) {
      first += level;
      level *= static_cast<std::size_t>(vocabulary_);
      code = code * static_cast<std::size_t>(vocabulary_) + static_cast<std::size_t>(token);
    }
    return first + code;
  }

  int vocabulary_ = 0;
  int depth_ = 0;
  std::vector<T> nodes_;
};

/// Probabilities of the next token.
template <class Number>
using NextToken = std::array<Number, kLargestVocabulary>;
/// A model: the distribution of the next token after each prefix.
template <class Number>
using Distribution = TokenTree<NextToken<Number>>;

/// Probability of `tokens` under `model`.
template <class Number>
Number probability(const Distribution<Number>& model, std::span<const int> tokens) {
  Number product = 1;
  for (std::size_t k = 0; k < tokens.size(); ++k) {
    product *= model.after(tokens.first(k))[static_cast<std::size_t>(tokens[k])];
  }
  return product;
}

/// `number` in base `vocabulary`, `length` tokens, the first one most significant.
inline void write_tokens(std::int64_t number, int vocabulary, std::span<int> tokens) {
  for (std::size_t i = tokens.size(); i-- > 0; number /= vocabulary) {
    tokens[i] = static_cast<int>(number % vocabulary);
  }
}

constexpr std::int64_t power(std::int64_t base, int exponent) {
  return exponent == 0 ? 1 : base * power(base, exponent - 1);
}

}  // namespace dspark
