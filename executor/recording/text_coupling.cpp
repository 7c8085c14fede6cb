#include "executor/recording/text_coupling.h"

#include <algorithm>

namespace dspark {
namespace {

/// By inversion from max(0, p_d - p_t), whose sum is `mass`.
std::int32_t draw_rejected(std::span<const float> draft, std::span<const float> target, double mass,
                           double uniform) {
  double cumulated = 0;
  std::int32_t last = 0;
  for (std::size_t token = 0; token < draft.size(); ++token) {
    if (!(draft[token] > target[token])) continue;
    cumulated += static_cast<double>(draft[token]) - static_cast<double>(target[token]);
    last = static_cast<std::int32_t>(token);
    if (cumulated > uniform * mass) break;
  }
  return last;
}

}  // namespace

std::int32_t TextCoupling::choose(int k, std::span<const float> probabilities, std::int32_t drawn) {
  if (rejected_) return drawn;
  const auto position = static_cast<std::size_t>(k) - 1;
  const auto target = target_.subspan(position * probabilities.size(), probabilities.size());
  double overlap = 0;
  double surplus = 0;  // of the draft
  for (std::size_t token = 0; token < target.size(); ++token) {
    const auto d = static_cast<double>(probabilities[token]);
    const auto t = static_cast<double>(target[token]);
    overlap += std::min(d, t);
    surplus += std::max(0.0, d - t);
  }
  acceptance_.push_back(static_cast<float>(std::min(1.0, overlap)));
  const std::int32_t next = next_tokens_[position];
  const auto drafted = static_cast<double>(probabilities[static_cast<std::size_t>(next)]);
  const auto wanted = static_cast<double>(target[static_cast<std::size_t>(next)]);
  // Without a surplus the two distributions are equal but for rounding, and nothing is ever rejected.
  if (drafted > 0 && (coins_[position] * wanted < drafted || surplus <= 0)) {
    ++accepted_;
    return next;
  }
  rejected_ = true;
  return surplus > 0 ? draw_rejected(probabilities, target, surplus, redraws_[position]) : drawn;
}

}  // namespace dspark
