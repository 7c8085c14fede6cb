#pragma once

#include <algorithm>
#include <span>

#include "sim/lossless/token_tree.h"

namespace dspark {

/// Speculative sampling of one round [Leviathan 2023, Chen 2023; REFERENCE.md 1] as exact probabilities:
/// token x_k, drawn from q, is accepted with probability min(1, p(x_k)/q(x_k)); the first rejection is
/// replaced by a token from the residual max(0, p - q)/Z; where all `submitted` tokens are accepted, the next
/// one comes from p. What follows is the target's own text, so that laws of equal length can be compared.
/// `Number` is double, or a rational where equality is to be exact.

/// Probability that x_k, the last of `prefix`, is accepted.
template <class Number>
Number acceptance(const Distribution<Number>& p, const Distribution<Number>& q, std::span<const int> prefix) {
  const auto before = prefix.first(prefix.size() - 1);
  const auto x = static_cast<std::size_t>(prefix.back());
  const Number target = p.after(before)[x], draft = q.after(before)[x];
  return target >= draft ? Number(1) : target / draft;
}

/// Probability that the first rejection, were the whole draft verified, is at position j = 1 .. γ; j = γ + 1:
/// none.
template <class Number>
Number first_rejection(const Distribution<Number>& p, const Distribution<Number>& q,
                       std::span<const int> draft, int j) {
  Number product = 1;
  for (std::size_t k = 1; k < static_cast<std::size_t>(j); ++k) product *= acceptance(p, q, draft.first(k));
  if (j > static_cast<int>(draft.size())) return product;
  return product * (Number(1) - acceptance(p, q, draft.first(static_cast<std::size_t>(j))));
}

/// Probability of `token` after a rejection behind `prefix`.
template <class Number>
Number residual(const Distribution<Number>& p, const Distribution<Number>& q, std::span<const int> prefix,
                int token) {
  const auto excess = [&](int t) {
    const auto i = static_cast<std::size_t>(t);
    const Number difference = p.after(prefix)[i] - q.after(prefix)[i];
    return difference > Number(0) ? difference : Number(0);
  };
  Number all = 0;
  for (int t = 0; t < p.vocabulary(); ++t) all += excess(t);
  return all > Number(0) ? excess(token) / all : p.after(prefix)[static_cast<std::size_t>(token)];
}

/// Probability of the output `text` (as long as the draft) when the first `submitted` tokens of `draft` are
/// verified and the first rejection of the whole draft would be at position j.
template <class Number>
Number output_given_rejection(const Distribution<Number>& p, const Distribution<Number>& q,
                              std::span<const int> draft, int submitted, int j, std::span<const int> text) {
  const std::size_t accepted = static_cast<std::size_t>(std::min(submitted, j - 1));
  if (!std::equal(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(accepted), draft.begin())) {
    return 0;
  }
  Number product = 1;
  for (std::size_t k = accepted; k < text.size(); ++k) {
    const auto before = text.first(k);
    const bool replaces = k == accepted && j <= submitted;
    product *=
        replaces ? residual(p, q, before, text[k]) : p.after(before)[static_cast<std::size_t>(text[k])];
  }
  return product;
}

/// K(text | x_1 .. x_l): the law of the output when the first `submitted` tokens of `draft` are verified.
template <class Number>
Number output_probability(const Distribution<Number>& p, const Distribution<Number>& q,
                          std::span<const int> draft, int submitted, std::span<const int> text) {
  Number sum = 0;
  for (int j = 1; j <= static_cast<int>(draft.size()) + 1; ++j) {
    sum += first_rejection(p, q, draft, j) * output_given_rejection(p, q, draft, submitted, j, text);
  }
  return sum;
}

}  // namespace dspark
