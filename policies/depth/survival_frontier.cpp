#include "policies/depth/survival_frontier.h"

#include <algorithm>
#include <array>
#include <utility>

#include "policies/invariant.h"

namespace dspark {
namespace {

constexpr int kRequestBits = 22;
constexpr int kPositionBits = 10;
constexpr int kKeyShift = kRequestBits + kPositionBits;
constexpr std::uint32_t kOne = 1u << 21;  // a survival of 1 in fixed point
constexpr std::uint64_t kRequestMask = (std::uint64_t{1} << kRequestBits) - 1;
constexpr std::uint64_t kPositionMask = (std::uint64_t{1} << kPositionBits) - 1;

std::uint64_t pack(float survival, int position, int request) {
  const std::uint32_t fixed = static_cast<std::uint32_t>(survival * static_cast<float>(kOne));
  return std::uint64_t{kOne - fixed} << kKeyShift | static_cast<std::uint64_t>(position) << kRequestBits |
         static_cast<std::uint64_t>(request);
}
int request_of(std::uint64_t candidate) { return static_cast<int>(candidate & kRequestMask); }
int position_of(std::uint64_t candidate) {
  return static_cast<int>(candidate >> kRequestBits & kPositionMask);
}
std::uint32_t key_of(std::uint64_t candidate) { return static_cast<std::uint32_t>(candidate >> kKeyShift); }

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
  bool valid = true;
  const int* drafted = drafts.drafted.data();
  for (int k = 1; k <= longest_; ++k) {
    const float* confidence = drafts.confidence.data() + drafts.stride * static_cast<std::size_t>(k - 1);
    float* survival = survival_.data() + requests * static_cast<std::size_t>(k - 1);
    const float* before = survival - (k > 1 ? requests : 0);
    for (std::size_t r = 0; r < requests; ++r) {
      const float c = drafted[r] >= k ? confidence[r] : 0.0f;
      valid &= c >= 0.0f && c <= 1.0f;
      survival[r] = k > 1 ? before[r] * c : c;
    }
  }
  DSPARK_INVARIANT(valid);
}

void SurvivalFrontier::sort() {
  if (sorted_) return;
  sorted_ = true;
  const int requests = this->requests();
  candidates_.resize(survival_.size());
  std::size_t count = 0;
  const float* survival = survival_.data();
  for (int k = 1; k <= longest_; ++k) {
    for (int r = 0; r < requests; ++r, ++survival) {
      candidates_[count] = pack(*survival, k, r);
      count += *survival > 0.0f;
    }
  }
  candidates_.resize(count);
  scratch_.resize(count);
  radix_sort();
}

/// Least significant digit first, two digits of the 22 key bits; stable, so that candidates, which come in
/// the order of position and request, keep it where survivals tie.
void SurvivalFrontier::radix_sort() {
  constexpr int kPasses = 2;
  constexpr int kDigitBits = 11;
  constexpr std::uint32_t kBuckets = 1u << kDigitBits;
  const auto digit = [](std::uint64_t candidate, int pass) {
    return key_of(candidate) >> (pass * kDigitBits) & (kBuckets - 1);
  };
  std::array<std::array<std::uint32_t, kBuckets>, kPasses> start = {};
  for (const std::uint64_t candidate : candidates_) {
    for (int pass = 0; pass < kPasses; ++pass) ++start[pass][digit(candidate, pass)];
  }
  for (int pass = 0; pass < kPasses; ++pass) {
    std::uint32_t sum = 0;
    for (std::uint32_t& bucket : start[pass]) sum += std::exchange(bucket, sum);
    for (const std::uint64_t candidate : candidates_)
      scratch_[start[pass][digit(candidate, pass)]++] = candidate;
    candidates_.swap(scratch_);
  }
}

bool SurvivalFrontier::find_best() {
  sort();
  for (; next_ < candidates_.size(); ++next_) {
    const std::size_t request = static_cast<std::size_t>(request_of(candidates_[next_]));
    if (!closed_[request] && position_of(candidates_[next_]) > admitted_[request]) return true;
  }
  return false;
}

std::optional<FrontierToken> SurvivalFrontier::best() {
  if (!find_best()) {
    shown_request_ = -1;
    return {};
  }
  shown_request_ = request_of(candidates_[next_]);
  return token(shown_request_, position_of(candidates_[next_]));
}

std::optional<FrontierToken> SurvivalFrontier::head(int request) {
  DSPARK_INVARIANT(request >= 0 && request < requests());
  const std::size_t r = static_cast<std::size_t>(request);
  shown_request_ = -1;
  if (closed_[r] || admitted_[r] == drafts_.drafted[r]) return {};
  shown_request_ = request;
  return token(request, admitted_[r] + 1);
}

FrontierToken SurvivalFrontier::token(int request, int position) const {
  const std::size_t at =
      static_cast<std::size_t>(position - 1) * admitted_.size() + static_cast<std::size_t>(request);
  return {request, position, survival_[at], drafts_.before_draw(request, position)};
}

void SurvivalFrontier::admit_next_of(int request) {
  ++admitted_[static_cast<std::size_t>(request)];
  ++total_admitted_;
}

void SurvivalFrontier::admit() {
  DSPARK_INVARIANT(shown_request_ >= 0);
  admit_next_of(std::exchange(shown_request_, -1));
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
  sort();
  history_.resize(candidates_.size());
  for (std::size_t i = 0; i < history_.size(); ++i) {
    history_[i] = static_cast<float>(kOne - key_of(candidates_[i])) / static_cast<float>(kOne);
  }
  return history_;
}

}  // namespace dspark
