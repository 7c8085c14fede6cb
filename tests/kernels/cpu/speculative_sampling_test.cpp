// Kernels::accept against the law that it must draw from, by enumeration.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "tests/kernels/cpu/cases.h"

namespace dspark {
namespace {

using cases::view;

constexpr std::size_t kVocabulary = 5, kDrafts = 3;
using Law = std::map<std::pair<std::int32_t, std::int32_t>, double>;  // (accepted, next token)

/// Distributions of kDrafts + 1 places, some tokens without probability.
std::vector<float> distributions(std::size_t places, std::uint32_t seed, int zero) {
  auto p = cases::numbers(places * kVocabulary, seed);
  for (std::size_t row = 0; row < places; ++row) {
    float total = 0;
    for (std::size_t i = 0; i < kVocabulary; ++i) {
      float& x = p[row * kVocabulary + i];
      x = static_cast<int>(i) == zero ? 0.0f : (x + 1.05f) * (x + 1.05f);
      total += x;
    }
    for (std::size_t i = 0; i < kVocabulary; ++i) p[row * kVocabulary + i] /= total;
  }
  return p;
}

/// The law of (accepted, next token) where drafts are drawn from `draft`: Leviathan 2023, theorem 1.
Law enumerated(const std::vector<float>& target, const std::vector<float>& draft) {
  Law law;
  double reached = 1;
  for (std::size_t k = 0; k <= kDrafts; ++k) {
    const float* t = target.data() + k * kVocabulary;
    const float* d = draft.data() + k * kVocabulary;
    double accepted = 0, left = 0;
    for (std::size_t i = 0; i < kVocabulary && k < kDrafts; ++i) {
      accepted += std::min(double{t[i]}, double{d[i]});
      left += std::max(0.0, double{t[i]} - double{d[i]});
    }
    for (std::size_t i = 0; i < kVocabulary; ++i) {
      const double p =
          k == kDrafts ? double{t[i]} : (1 - accepted) * std::max(0.0, double{t[i]} - double{d[i]}) / left;
      if (p > 0) law[{static_cast<std::int32_t>(k), static_cast<std::int32_t>(i)}] += reached * p;
    }
    reached *= accepted;
  }
  return law;
}

struct Rounds {
  std::vector<std::int32_t> first_row = {0}, tokens, accepted, next;
  std::vector<float> target, draft;
  std::vector<DrawKey> accept_keys, final_keys;

  DrawKey key(std::uint32_t stream, std::size_t index) const {
    return {{7, stream}, {static_cast<std::uint32_t>(index), 0, 0, 1}};
  }

  /// One request with these rows of the target; drafts' distributions empty where drafts are certain.
  void add(std::span<const float> target_rows, std::span<const float> draft_rows,
           std::span<const std::int32_t> drafted) {
    first_row.push_back(first_row.back() + static_cast<std::int32_t>(drafted.size()) + 1);
    target.insert(target.end(), target_rows.begin(), target_rows.end());
    draft.insert(draft.end(), draft_rows.begin(), draft_rows.end());
    for (const std::int32_t token : drafted) {
      accept_keys.push_back(key(1, tokens.size()));
      tokens.push_back(token);
    }
    final_keys.push_back(key(2, final_keys.size()));
  }

  void run(Kernels& kernels) {
    accepted.assign(final_keys.size(), -1);
    next.assign(final_keys.size(), -1);
    const auto rows = static_cast<std::size_t>(first_row.back());
    kernels.accept(first_row, view<2>(std::as_const(target), {rows, kVocabulary}),
                   view<2>(std::as_const(draft), {draft.size() / kVocabulary, kVocabulary}), tokens,
                   accept_keys, final_keys, {accepted, next});
  }
};

/// Tokens for `requests` requests, each of kDrafts drafts, drawn by the kernel itself.
std::vector<std::int32_t> drafted(Kernels& kernels, const std::vector<float>& draft, std::size_t requests) {
  std::vector<float> all;
  std::vector<DrawKey> keys;
  for (std::size_t r = 0; r < requests; ++r) {
    all.insert(all.end(), draft.begin(), draft.begin() + kDrafts * kVocabulary);
    for (std::size_t k = 0; k < kDrafts; ++k)
      keys.push_back({{7, 3}, {static_cast<std::uint32_t>(keys.size()), 0, 0, 1}});
  }
  std::vector<std::int32_t> tokens(keys.size());
  kernels.draw(view<2>(std::as_const(all), {keys.size(), kVocabulary}), keys, tokens);
  return tokens;
}

/// Pearson's statistic of counts against a law, and cells of it.
std::pair<double, double> chi_square(const std::map<std::pair<std::int32_t, std::int32_t>, int>& counts,
                                     const Law& law, double total) {
  double statistic = 0;
  for (const auto& [cell, probability] : law) {
    const auto found = counts.find(cell);
    const double count = found == counts.end() ? 0 : found->second;
    statistic += std::pow(count - total * probability, 2) / (total * probability);
  }
  for (const auto& [cell, count] : counts) {
    if (!law.contains(cell)) statistic += INFINITY;
  }
  return {statistic, static_cast<double>(law.size()) - 1};
}

TEST(SpeculativeSampling, DrawsFromTheEnumeratedLawOfAcceptedAndNextToken) {
  const auto kernels = cases::kernels(ElementType::kF32, 2);
  constexpr std::size_t kRequests = 200000;
  for (const auto& [seed, zero_of_target, zero_of_draft] :
       {std::tuple{1u, -1, -1}, {2u, 3, -1}, {3u, -1, 0}, {4u, 2, 2}, {5u, 1, 4}}) {
    const auto target = distributions(kDrafts + 1, seed, zero_of_target);
    const auto draft = distributions(kDrafts, seed + 100, zero_of_draft);
    const auto tokens = drafted(*kernels, draft, kRequests);
    Rounds rounds;
    for (std::size_t r = 0; r < kRequests; ++r)
      rounds.add(target, draft, std::span(tokens).subspan(r * kDrafts, kDrafts));
    rounds.run(*kernels);
    std::map<std::pair<std::int32_t, std::int32_t>, int> counts;
    for (std::size_t r = 0; r < kRequests; ++r) ++counts[{rounds.accepted[r], rounds.next[r]}];
    const auto [statistic, freedom] = chi_square(counts, enumerated(target, draft), kRequests);
    // Mean and variance of chi-square are freedom and twice that: four standard deviations.
    EXPECT_LT(statistic, freedom + 4 * std::sqrt(2 * freedom)) << "seed " << seed;
    // A law that is off is seen: that of another target.
    const auto other = enumerated(distributions(kDrafts + 1, seed + 50, zero_of_target), draft);
    EXPECT_GT(chi_square(counts, other, kRequests).first, 10 * freedom);
  }
}

TEST(SpeculativeSampling, OfCertainDraftsAcceptsWithTheTargetsProbabilityAndThenLeavesThemOut) {
  const auto kernels = cases::kernels(ElementType::kF32, 2);
  constexpr std::size_t kRequests = 100000;
  const auto target = distributions(2, 9, -1);
  Rounds rounds;
  const std::int32_t token = 2;
  for (std::size_t r = 0; r < kRequests; ++r) rounds.add(target, {}, {&token, 1});
  rounds.run(*kernels);
  Law law;
  std::map<std::pair<std::int32_t, std::int32_t>, int> counts;
  for (std::size_t r = 0; r < kRequests; ++r) ++counts[{rounds.accepted[r], rounds.next[r]}];
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(kVocabulary); ++i) {
    if (i != token) law[{0, i}] = target[static_cast<std::size_t>(i)];
    law[{1, i}] = double{target[2]} * double{target[kVocabulary + static_cast<std::size_t>(i)]};
  }
  const auto [statistic, freedom] = chi_square(counts, law, kRequests);
  EXPECT_LT(statistic, freedom + 4 * std::sqrt(2 * freedom));
}

TEST(SpeculativeSampling, AcceptsAllWhereTargetAndDraftAgreeAndTakesTheBonusFromTheTarget) {
  const auto kernels = cases::kernels();
  const std::vector<float> certain = {0, 0, 1, 0, 0, /**/ 0, 1, 0, 0, 0, /**/ 0, 0, 0, 0, 1};
  Rounds rounds;
  const std::int32_t tokens[] = {2, 1};
  rounds.add(certain, std::span(certain).first(10), tokens);
  rounds.run(*kernels);
  EXPECT_EQ(rounds.accepted[0], 2);
  EXPECT_EQ(rounds.next[0], 4);
}

TEST(SpeculativeSampling, RejectsWhatTheTargetNeverSaysAndTakesWhatItSays) {
  const auto kernels = cases::kernels();
  const std::vector<float> target = {0, 0, 1, 0, 0, /**/ 1, 0, 0, 0, 0};
  Rounds certain, drawn;
  const std::int32_t token = 3;
  certain.add(target, {}, {&token, 1});
  certain.run(*kernels);
  drawn.add(target, std::vector<float>{0.25f, 0.25f, 0.25f, 0.25f, 0}, {&token, 1});
  drawn.run(*kernels);
  for (const Rounds* rounds : {&certain, &drawn}) {
    EXPECT_EQ(rounds->accepted[0], 0);
    EXPECT_EQ(rounds->next[0], 2);
  }
}

TEST(SpeculativeSampling, TakesRequestsWithFewerAndWithoutDraftsBesideOthers) {
  const auto kernels = cases::kernels(ElementType::kF32, 3);
  const auto target = distributions(kDrafts + 1, 11, -1), draft = distributions(kDrafts, 12, -1);
  const auto tokens = drafted(*kernels, draft, 50);
  Rounds together;
  std::vector<Rounds> alone(50);
  for (std::size_t r = 0; r < alone.size(); ++r) {
    const std::size_t count = r % (kDrafts + 1);
    const auto of_target = std::span(target).first((count + 1) * kVocabulary);
    const auto of_draft = std::span(draft).first(count * kVocabulary);
    const auto of_request = std::span(tokens).subspan(r * kDrafts, count);
    const std::size_t before = together.tokens.size();
    together.add(of_target, of_draft, of_request);
    alone[r].add(of_target, of_draft, of_request);
    std::copy_n(together.accept_keys.begin() + static_cast<std::ptrdiff_t>(before), count,
                alone[r].accept_keys.begin());
    alone[r].final_keys[0] = together.final_keys[r];
    alone[r].run(*kernels);
  }
  together.run(*kernels);
  for (std::size_t r = 0; r < alone.size(); ++r) {
    EXPECT_EQ(together.accepted[r], alone[r].accepted[0]);
    EXPECT_EQ(together.next[r], alone[r].next[0]);
  }
}

}  // namespace
}  // namespace dspark
