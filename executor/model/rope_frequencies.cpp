#include "executor/model/rope_frequencies.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace dspark {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;

/// Long waves are divided by the factor, short ones stay, those between are mixed of both.
double llama3(const Rope& rope, double inverse) {
  const double waves = rope.trained_positions * inverse / kTurn;  // in the trained context
  if (waves < rope.low_frequency) return inverse / rope.factor;
  if (waves > rope.high_frequency) return inverse;
  const double smooth = (waves - rope.low_frequency) / (rope.high_frequency - rope.low_frequency);
  return (1 - smooth) * inverse / rope.factor + smooth * inverse;
}

/// Where the pairs begin and end to be divided: between them the share rises in a straight line.
struct YarnRamp {
  double low = 0;
  double high = 0;

  YarnRamp(const Rope& rope, double head_dim) {
    if (rope.scaling != Rope::Scaling::kYarn) return;
    const auto pair_that_turns = [&](double turns) {
      return head_dim * std::log(rope.trained_positions / (turns * kTurn)) / (2 * std::log(rope.theta));
    };
    low = std::max(std::floor(pair_that_turns(rope.beta_fast)), 0.0);
    high = std::min(std::ceil(pair_that_turns(rope.beta_slow)), head_dim - 1);
    if (low == high) high += 0.001;  // as the reference does, which divides by the difference
  }
  double share(double pair) const { return std::clamp((pair - low) / (high - low), 0.0, 1.0); }
};

}  // namespace

RopeFrequencies rope_frequencies(const Rope& rope, std::size_t head_dim) {
  const std::size_t pairs = head_dim / 2;
  const auto width = static_cast<double>(head_dim);
  const bool yarn = rope.scaling == Rope::Scaling::kYarn;
  const auto turning = rope.scaling == Rope::Scaling::kProportional
                           ? static_cast<std::size_t>(rope.partial * width / 2)
                           : pairs;
  RopeFrequencies frequencies;
  frequencies.inverse.assign(pairs, 0.0F);
  const YarnRamp ramp(rope, width);
  for (std::size_t pair = 0; pair < turning; ++pair) {
    double inverse = std::pow(rope.theta, -2 * static_cast<double>(pair) / width);
    if (rope.scaling == Rope::Scaling::kLlama3) {
      inverse = llama3(rope, inverse);
    } else if (yarn) {
      const double share = ramp.share(static_cast<double>(pair));
      inverse = inverse / rope.factor * share + inverse * (1 - share);
    } else {
      inverse /= rope.factor;
    }
    frequencies.inverse[pair] = static_cast<float>(inverse);
  }
  if (yarn)
    frequencies.scale = static_cast<float>(rope.attention_factor > 0 ? rope.attention_factor
                                                                     : 0.1 * std::log(rope.factor) + 1);
  return frequencies;
}

}  // namespace dspark
