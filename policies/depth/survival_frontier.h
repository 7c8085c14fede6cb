#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "policies/depth/signals.h"
#include "policies/invariant.h"

namespace dspark {

/// The next token of one request: everything a policy may know of it before it is drawn.
struct FrontierToken {
  int request = 0;      // row of the step
  int position = 1;     // k, from 1
  double survival = 0;  // a_k = c_1 · … · c_k, probability that x_1..x_k are all accepted
  PreDrawSignals signals = {};
};

/// The edge between draft tokens that will be verified and those that are still unknown (paper section 3.2,
/// appendix A). A policy sees the next token of each request and nothing behind it; only admitting a token
/// reveals the one after it. So a policy written on the frontier cannot anticipate: its submitted set is a
/// stopping set of the draws (LOSSLESS.md, lemma 1), whatever its internal state.
///
/// Order of `best`: survival (in steps of 2^-21) from the largest, then position, then request. Tokens with a
/// survival of 0 are not candidates. The order is computed once per step at the first `best`, by a radix
/// sort: a request's survival never rises with position, so sorted order and heap order are the same.
///
/// A policy is handed one by reference and can neither make, copy, move nor restart one: a copy could be
/// admitted on to the end and thrown away. Who holds the drafts has an OwnedFrontier; a rule that says that
/// it anticipates, a HindsightFrontier.
///
/// Reused from step to step without allocation. Not thread-safe.
class SurvivalFrontier {
 public:
  SurvivalFrontier(const SurvivalFrontier&) = delete;
  SurvivalFrontier& operator=(const SurvivalFrontier&) = delete;

  /// The most likely next token over all open requests; empty when none is left.
  std::optional<FrontierToken> best();
  /// Admits / closes the request of the token that `best` or `head` showed last; each showing answers one of
  /// them.
  void admit();
  void skip();

  /// The next token of one request, or empty where it is closed or at its end.
  std::optional<FrontierToken> head(int request);

  /// Admits the k most likely tokens (fewer where there are fewer).
  void admit_best(int k);
  /// Admits everything that was drafted of requests that are not closed, without an order.
  void admit_all();

  int requests() const { return static_cast<int>(admitted_.size()); }
  /// (requests) admitted draft tokens: the verification lengths.
  std::span<const int> admitted() const { return admitted_; }
  int total_admitted() const { return total_admitted_; }
  /// The signals of an admitted token that its draw revealed; 1 <= k <= admitted()[request].
  PostDrawSignals drawn(int request, int k) const;

  /// Draft tokens that the admitted ones are expected to yield: the sum of their survivals.
  double expected_accepted() const;

 private:
  // Private and not protected: the pointer to a protected member, taken in a class derived for the purpose,
  // would call it on any frontier.
  friend class OwnedFrontier;
  friend class HindsightFrontier;
  SurvivalFrontier() = default;
  ~SurvivalFrontier() = default;

  /// The owner's part, documented there.
  void reset(const DraftColumns& drafts);
  std::span<const float> sorted_survivals_for_history();
  std::span<const float> survivals_for_history() const { return survival_; }

  // A candidate: key, position, request, from the high bits to the low ones, so that ascending is most likely
  // first.
  static constexpr int kRequestBits = 22;
  static constexpr int kPositionBits = 10;
  static constexpr int kKeyShift = kRequestBits + kPositionBits;
  static constexpr std::uint64_t kRequestMask = (std::uint64_t{1} << kRequestBits) - 1;
  static constexpr std::uint64_t kPositionMask = (std::uint64_t{1} << kPositionBits) - 1;
  static int request_of(std::uint64_t candidate) { return static_cast<int>(candidate & kRequestMask); }
  static int position_of(std::uint64_t candidate) {
    return static_cast<int>(candidate >> kRequestBits & kPositionMask);
  }
  static std::uint32_t key_of(std::uint64_t candidate) {
    return static_cast<std::uint32_t>(candidate >> kKeyShift);
  }

  void sort();
  template <int kPasses, int kDigitBits>
  void radix_sort();
  /// Moves `next_` to the most likely token that may be admitted; false when none is left.
  bool find_best();
  void admit_next_of(int request);
  FrontierToken token(int request, int position) const;

  DraftColumns drafts_;
  std::vector<float> survival_;      // (γ, requests), position k of request r at (k - 1) * requests() + r
  std::vector<std::uint32_t> keys_;  // as survival_: 2^21 minus the fixed-point survival, one more for 0
  std::vector<std::uint64_t> candidates_;
  std::vector<std::uint64_t> scratch_;
  std::vector<float> history_;
  std::vector<int> admitted_;
  std::vector<std::uint8_t> closed_;
  std::size_t next_ = 0;  // in candidates_
  int shown_request_ = -1;
  int total_admitted_ = 0;
  int longest_ = 0;  // drafted block of the step
  bool sorted_ = false;
};

// Inline: a search token by token asks for hundreds in one step, and most of it reads the survival alone.

inline bool SurvivalFrontier::find_best() {
  if (!sorted_) sort();
  for (; next_ < candidates_.size(); ++next_) {
    const std::size_t request = static_cast<std::size_t>(request_of(candidates_[next_]));
    if (!closed_[request] && position_of(candidates_[next_]) > admitted_[request]) return true;
  }
  return false;
}

inline std::optional<FrontierToken> SurvivalFrontier::best() {
  if (!find_best()) {
    shown_request_ = -1;
    return {};
  }
  shown_request_ = request_of(candidates_[next_]);
  return token(shown_request_, position_of(candidates_[next_]));
}

inline FrontierToken SurvivalFrontier::token(int request, int position) const {
  const std::size_t at =
      static_cast<std::size_t>(position - 1) * admitted_.size() + static_cast<std::size_t>(request);
  return {request, position, survival_[at], drafts_.before_draw(request, position)};
}

inline void SurvivalFrontier::admit_next_of(int request) {
  ++admitted_[static_cast<std::size_t>(request)];
  ++total_admitted_;
}

inline void SurvivalFrontier::admit() {
  DSPARK_INVARIANT(shown_request_ >= 0);
  admit_next_of(std::exchange(shown_request_, -1));
}

}  // namespace dspark
