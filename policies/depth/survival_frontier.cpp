#include "policies/depth/survival_frontier.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "policies/invariant.h"

namespace dspark {
namespace {

constexpr std::uint32_t kOne = 1u << 21;  // a survival of 1 in fixed point

/// Counts per digit into the places where the digits begin, four at a time: a sum that hands on to the next
/// is what this waits for. `used` rounds up to four.
template <std::size_t kBuckets>
void add_up(std::array<std::uint32_t, kBuckets>& counts, std::size_t used) {
  static_assert(kBuckets % 4 == 0);
  std::uint32_t sum = 0;
  for (std::size_t bucket = 0; bucket < used; bucket += 4) {
    std::uint32_t* four = counts.data() + bucket;
    const std::uint32_t one = four[0], two = one + four[1], three = two + four[2], all = three + four[3];
    four[0] = sum;
    four[1] = sum + one;
    four[2] = sum + two;
    four[3] = sum + three;
    sum += all;
  }
}

}  // namespace

void SurvivalFrontier::reset(const DraftColumns& drafts) {
  const std::size_t requests = drafts.drafted.size();
  drafts_ = drafts;
  admitted_.assign(requests, 0);
  closed_.assign(requests, 0);
  next_ = 0;
  shown_request_ = -1;
  total_admitted_ = 0;
  sorted_ = false;
  longest_ = 0;
  for (const int drafted : drafts.drafted) longest_ = std::max(longest_, drafted);
  DSPARK_INVARIANT(requests <= kRequestMask && static_cast<std::uint64_t>(longest_) <= kPositionMask);
  DSPARK_INVARIANT(longest_ == 0 || (drafts.stride >= requests &&
                                     drafts.confidence.size() >= drafts.stride * (longest_ - 1) + requests));

  // A product with a factor of at most 1 never rises, in floating point either. Past the frontier's end it is
  // 0.
  survival_.resize(static_cast<std::size_t>(longest_) * requests);
  constexpr auto kBitsOfOne = std::bit_cast<std::int32_t>(1.0f);
  std::int32_t largest = 0, sign = 0;  // bits of confidences: those of 0..1 lie between those of 0 and of 1
  const int* drafted = drafts.drafted.data();
  for (int k = 1; k <= longest_; ++k) {
    const float* confidence = drafts.confidence.data() + drafts.stride * static_cast<std::size_t>(k - 1);
    float* survival = survival_.data() + requests * static_cast<std::size_t>(k - 1);
    const float* before = survival - requests;
    for (std::size_t r = 0; r < requests; ++r) {
      const float given = confidence[r];
      const float c = drafted[r] >= k ? given + 0.0f : 0.0f;  // -0 becomes 0
      const auto bits = std::bit_cast<std::int32_t>(c);
      largest = std::max(largest, bits);
      sign |= bits;
      survival[r] = c;
    }
    for (std::size_t r = 0; k > 1 && r < requests; ++r) survival[r] *= before[r];
  }
  DSPARK_INVARIANT(sign >= 0 && largest <= kBitsOfOne);
}

void SurvivalFrontier::sort() {
  sorted_ = true;
  const std::size_t count = survival_.size();
  keys_.resize(count);
  candidates_.resize(count);
  scratch_.resize(count);
  // Survivals of 0 are no candidates: their key is behind all others, and what it sorts is cut off.
  const float* survival = survival_.data();
  std::uint32_t* key = keys_.data();
  int possible = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto fixed = static_cast<std::int32_t>(survival[i] * static_cast<float>(kOne));
    const int is_possible = survival[i] > 0.0f ? 1 : 0;
    key[i] = static_cast<std::uint32_t>(static_cast<std::int32_t>(kOne) - fixed + 1 - is_possible);
    possible += is_possible;
  }
  constexpr std::size_t kSmallStep = 700;  // candidates; fewer do not pay for many buckets
  if (count < kSmallStep) {
    radix_sort<3, 8>();
  } else {
    radix_sort<2, 11>();
  }
  candidates_.resize(static_cast<std::size_t>(possible));
}

/// Least significant digit first; stable, so that candidates, which come in the order of position and
/// request, keep it where survivals tie.
template <int kPasses, int kDigitBits>
void SurvivalFrontier::radix_sort() {
  constexpr std::uint32_t kBuckets = 1u << kDigitBits;
  static_assert(kPasses * kDigitBits >= 22);
  const auto digit = [](std::uint32_t key, int pass) { return key >> (pass * kDigitBits) & (kBuckets - 1); };
  std::array<std::array<std::uint32_t, kBuckets>, kPasses> start = {};
  for (const std::uint32_t key : keys_) {
    for (int pass = 0; pass < kPasses; ++pass) ++start[pass][digit(key, pass)];
  }
  for (int pass = 0; pass + 1 < kPasses; ++pass) add_up(start[pass], kBuckets);
  add_up(start[kPasses - 1], digit(kOne + 1, kPasses - 1) + 1);

  const std::uint32_t* key = keys_.data();
  std::uint64_t* sorted = scratch_.data();
  const auto requests = static_cast<std::uint64_t>(this->requests());
  for (int k = 1; k <= longest_; ++k) {
    const std::uint64_t position = static_cast<std::uint64_t>(k) << kRequestBits;
    for (std::uint64_t r = 0; r < requests; ++r, ++key) {
      sorted[start[0][digit(*key, 0)]++] = std::uint64_t{*key} << kKeyShift | position | r;
    }
  }
  for (int pass = 1; pass < kPasses; ++pass) {
    scratch_.swap(candidates_);
    sorted = scratch_.data();
    for (const std::uint64_t candidate : candidates_) {
      sorted[start[pass][digit(key_of(candidate), pass)]++] = candidate;
    }
  }
  scratch_.swap(candidates_);
}

std::optional<FrontierToken> SurvivalFrontier::head(int request) {
  DSPARK_INVARIANT(request >= 0 && request < requests());
  const std::size_t r = static_cast<std::size_t>(request);
  shown_request_ = -1;
  if (closed_[r] || admitted_[r] == drafts_.drafted[r]) return {};
  shown_request_ = request;
  return token(request, admitted_[r] + 1);
}

void SurvivalFrontier::skip() {
  DSPARK_INVARIANT(shown_request_ >= 0);
  closed_[static_cast<std::size_t>(std::exchange(shown_request_, -1))] = 1;
}

void SurvivalFrontier::admit_best(int k) {
  shown_request_ = -1;
  for (; k > 0 && find_best(); --k) admit_next_of(request_of(candidates_[next_]));
}

void SurvivalFrontier::admit_all() {
  shown_request_ = -1;
  for (std::size_t r = 0; r < admitted_.size(); ++r) {
    if (closed_[r]) continue;
    total_admitted_ += drafts_.drafted[r] - admitted_[r];
    admitted_[r] = drafts_.drafted[r];
  }
}

PostDrawSignals SurvivalFrontier::drawn(int request, int k) const {
  DSPARK_INVARIANT(request >= 0 && request < requests());
  DSPARK_INVARIANT(k >= 1 && k <= admitted_[static_cast<std::size_t>(request)]);
  return drafts_.after_draw(request, k);
}

double SurvivalFrontier::expected_accepted() const {
  double sum = 0;
  const std::size_t requests = admitted_.size();
  for (std::size_t r = 0; r < requests; ++r) {
    for (int k = 0; k < admitted_[r]; ++k) {
      sum += static_cast<double>(survival_[static_cast<std::size_t>(k) * requests + r]);
    }
  }
  return sum;
}

std::span<const float> SurvivalFrontier::sorted_survivals_for_history() {
  if (!sorted_) sort();
  history_.resize(candidates_.size());
  for (std::size_t i = 0; i < history_.size(); ++i) {
    history_[i] = static_cast<float>(kOne - key_of(candidates_[i])) / static_cast<float>(kOne);
  }
  return history_;
}

}  // namespace dspark
