#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sim/random/random_key.h"
#include "tests/executor/runner/continuation_law.h"

namespace dspark::testing {

/// A token of a served reply, with what stood fixed before it was drawn. (Whether a draft was accepted did
/// not: accepted tokens alone are not distributed as the target's, nor are those in the place of rejected
/// ones.)
struct ServedToken {
  std::int32_t token = 0;
  int draft_position = 0;   // in its block, of the draft that was verified in this place, from 1; 0: none was
  int accepted_before = 0;  // drafts accepted in the reply's round before
  std::span<const float> draft = {};  // (vocabulary) what that draft was drawn from
};

/// Uniform on (0, 1) where `token` was drawn from `law` and `between` is uniform: the probability of all
/// smaller ids, and the part `between` of the token's own.
inline double probability_transform(std::span<const double> law, std::int32_t token, double between) {
  const auto own = law.begin() + token;
  return std::accumulate(law.begin(), own, 0.0) + between * *own;
}

/// Tokens against laws that are tilted by a score which was known before them: proportional to
/// law · exp(strength · score), strength ±1/4 .. ±2. The mean over strengths of the likelihood ratios has
/// expectation 1 where the tokens were drawn from their laws, so that it exceeds 1/p with probability p at
/// most, however many they are.
class TiltTest {
 public:
  /// Of one token: law, score: (vocabulary).
  void add(std::span<const double> law, std::span<const double> score, std::int32_t token) {
    std::array<double, kStrengths.size()> sums{};
    for (std::size_t v = 0; v < law.size(); ++v) {
      if (law[v] <= 0) continue;
      double up = std::exp(score[v] / 4), down = 1 / up;
      for (std::size_t i = 0; i < sums.size(); i += 2) {
        sums[i] += law[v] * up, sums[i + 1] += law[v] * down;
        up *= up, down *= down;
      }
    }
    for (std::size_t i = 0; i < sums.size(); ++i)
      log_ratio_[i] += kStrengths[i] * score[static_cast<std::size_t>(token)] - std::log(sums[i]);
  }
  void add(const TiltTest& other) {
    for (std::size_t i = 0; i < log_ratio_.size(); ++i) log_ratio_[i] += other.log_ratio_[i];
  }
  double p() const {
    double mean = 0;
    for (const double log_ratio : log_ratio_)
      mean += std::exp(std::min(log_ratio, 600.0)) / static_cast<double>(log_ratio_.size());
    return std::min(1.0, 1 / mean);
  }

 private:
  static constexpr std::array<double, 8> kStrengths = {0.25, -0.25, 0.5, -0.5, 1, -1, 2, -2};
  std::array<double, kStrengths.size()> log_ratio_{};
};

/// Whether the tokens of served replies were drawn from the target's law at their places, by several tests.
/// Where they were, transforms are uniform and independent of each other and of all that stood fixed before
/// them.
class TokenLawTests {
 public:
  /// key: of the uniforms between.
  explicit TokenLawTests(RandomKey key) : key_(key) {}

  /// prompt: any number of its own.
  void begin_reply(std::int32_t prompt) {
    text_ = {prompt};
    last_.reset();
  }
  /// The reply's next token. law: (vocabulary), behind the text so far.
  void add(const ServedToken& served, std::span<const double> law) {
    const RandomWords words = draw_words(key_, Stream::kLosslessCheck, 0, tokens_++);
    if (text_.size() <= kCountedTokens) count_behind_text(served.token, law);
    text_.push_back(served.token);
    // A token that is all but certain says nothing, and its transform is mere noise.
    if (*std::max_element(law.begin(), law.end()) > kCertain) return;
    ++uncertain_;
    const double between = (static_cast<double>(words[0]) + 0.5) * 0x1p-32;
    const double transform = probability_transform(law, served.token, between);
    count(by_position_[std::min(served.draft_position, kLastGroup)], transform);
    count(by_round_[std::min(served.accepted_before, kLastGroup)], transform);
    if (last_) count(by_last_[std::min(static_cast<int>(*last_ * kLastGroup), kLastGroup - 1)], transform);
    last_ = transform;
    tilt(sharpness_, law, served.token, [&](std::size_t v) { return std::log(law[v]); });
    if (served.draft.empty()) return;
    const double most = *std::max_element(served.draft.begin(), served.draft.end());
    tilt(likely_drafts_, law, served.token, [&](std::size_t v) { return served.draft[v] / most; });
    tilt(favoured_drafts_, law, served.token,
         [&](std::size_t v) { return (served.draft[v] - law[v]) / (served.draft[v] + law[v]); });
    double below = 0;
    tilt(larger_ids_, law, served.token, [&](std::size_t v) {
      below += law[v];
      return 2 * below - law[v];
    });
  }
  /// Adds what another one counted, too.
  void add(const TokenLawTests& other) {
    tokens_ += other.tokens_;
    uncertain_ += other.uncertain_;
    for (auto [mine, of_other] : {std::pair{&by_position_, &other.by_position_},
                                  {&by_round_, &other.by_round_},
                                  {&by_last_, &other.by_last_}})
      for (const auto& [group, bins] : *of_other) add(bins, (*mine)[group]);
    for (const auto& [text, context] : other.contexts_) {
      Context& mine = contexts_[text];
      mine.law = context.law;
      add(context.counts, mine.counts);
    }
    sharpness_.add(other.sharpness_);
    likely_drafts_.add(other.likely_drafts_);
    favoured_drafts_.add(other.favoured_drafts_);
    larger_ids_.add(other.larger_ids_);
  }

  std::uint32_t tokens() const { return tokens_; }
  std::uint32_t uncertain() const { return uncertain_; }
  /// Probabilities, under the target's law, of results as far from what is expected, by test.
  std::map<std::string, double> p_values() const {
    PearsonTest behind_texts(kLeastExpected);
    for (const auto& [text, context] : contexts_) behind_texts.add(context.counts, context.law);
    return {{"transforms by position in the block", uniformity(by_position_)},
            {"transforms by the length of the round before", uniformity(by_round_)},
            {"transforms by the one before", uniformity(by_last_)},
            {"counts behind frequent texts", behind_texts.p()},
            {"all tokens, sharper or flatter", sharpness_.p()},
            {"drafted tokens, towards the drafter's likely ones", likely_drafts_.p()},
            {"drafted tokens, towards those drafted too often", favoured_drafts_.p()},
            {"drafted tokens, towards larger ids", larger_ids_.p()}};
  }

 private:
  static constexpr std::size_t kBins = 10, kCountedTokens = 3;  // of a reply, its first
  static constexpr int kLastGroup = 4;
  static constexpr double kLeastExpected = 25;  // in a cell, so that Pearson's approximation holds far out
  static constexpr double kCertain = 0.95;
  using Bins = std::vector<std::int64_t>;
  struct Context {
    std::vector<double> law;
    Bins counts;
  };

  static void count(Bins& bins, double transform) {
    bins.resize(kBins);
    ++bins[std::min(static_cast<std::size_t>(transform * kBins), kBins - 1)];
  }
  static void add(const Bins& more, Bins& to) {
    to.resize(more.size());
    for (std::size_t i = 0; i < more.size(); ++i) to[i] += more[i];
  }
  template <class Score>
  void tilt(TiltTest& test, std::span<const double> law, std::int32_t token, const Score& score) {
    score_.assign(law.size(), 0);
    for (std::size_t v = 0; v < law.size(); ++v)
      if (law[v] > 0) score_[v] = score(v);
    test.add(law, score_, token);
  }
  static double uniformity(const std::map<int, Bins>& groups) {
    PearsonTest test(kLeastExpected);
    for (const auto& [group, bins] : groups) test.add(bins, std::vector<double>(bins.size(), 1.0 / kBins));
    return test.p();
  }
  void count_behind_text(std::int32_t token, std::span<const double> law) {
    Context& context = contexts_[text_];
    if (context.law.empty()) {
      context.law.assign(law.begin(), law.end());
      context.counts.resize(law.size());
    }
    ++context.counts[static_cast<std::size_t>(token)];
  }

  RandomKey key_;
  std::uint32_t tokens_ = 0;
  std::uint32_t uncertain_ = 0;
  std::map<int, Bins> by_position_, by_round_, by_last_;
  std::map<std::vector<std::int32_t>, Context> contexts_;
  TiltTest sharpness_, likely_drafts_, favoured_drafts_, larger_ids_;
  std::vector<std::int32_t> text_;
  std::optional<double> last_;
  std::vector<double> score_;
};

}  // namespace dspark::testing
