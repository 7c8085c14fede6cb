#include "policies/calibration/acceptance_by_position.h"

#include <algorithm>

#include "policies/invariant.h"

namespace dspark {
namespace {

constexpr double kStart = 0.82;
constexpr double kStartWeight = 20;  // observations

}  // namespace

AcceptanceByPosition::AcceptanceByPosition(int block_size)
    : observed_(static_cast<std::size_t>(block_size)), accepted_(static_cast<std::size_t>(block_size)) {
  DSPARK_INVARIANT(block_size >= 1);
}

double AcceptanceByPosition::confidence(int k) const {
  const std::size_t p = std::min(static_cast<std::size_t>(k), observed_.size()) - 1;
  return (static_cast<double>(accepted_[p]) + kStartWeight * kStart) /
         (static_cast<double>(observed_[p]) + kStartWeight);
}

void AcceptanceByPosition::apply(const DraftColumns& raw, int depth, std::span<float> confidence) const {
  for (int k = 1; k <= depth; ++k) {
    const auto of_position = static_cast<float>(this->confidence(k));
    const std::size_t column = static_cast<std::size_t>(k - 1) * raw.stride;
    for (std::size_t r = 0; r < raw.drafted.size(); ++r)
      confidence[column + r] = k <= raw.drafted[r] ? of_position : 0.0f;
  }
}

void AcceptanceByPosition::observe(const StepOutcome& outcome) {
  const int most = static_cast<int>(observed_.size());
  for (std::size_t r = 0; r < outcome.verified.size(); ++r) {
    // Behind the first rejection nothing is known.
    const int known = std::min({outcome.verified[r], outcome.accepted[r] + 1, most});
    for (int k = 1; k <= known; ++k) {
      ++observed_[static_cast<std::size_t>(k - 1)];
      accepted_[static_cast<std::size_t>(k - 1)] += k <= outcome.accepted[r] ? 1 : 0;
    }
  }
}

}  // namespace dspark
