#include "sim/acceptance/survival_auc.h"

#include <algorithm>
#include <cstdint>

#include "policies/elementary.h"

namespace dspark {
namespace {

// A Korobov lattice: point i has coordinates i·g^j mod p / p, and with each point the lattice has its mirror
// image. The generator, a primitive root, came nearest to a lattice of a million points among 9000, for
// twelve latents.
constexpr std::uint64_t kModulus = 4093, kGenerator = 2520;
constexpr std::size_t kRounds = kModulus - 1;
constexpr std::size_t kBins = 1024;

/// The coordinates of one point, in turn, in (0, 1).
class Point {
 public:
  explicit Point(std::uint64_t index) : at_(index) {}
  double uniform() {
    const double u = static_cast<double>(at_) / static_cast<double>(kModulus);
    at_ = at_ * kGenerator % kModulus;
    return u;
  }
  double normal() { return normal_quantile(uniform()); }

 private:
  std::uint64_t at_;
};

}  // namespace

SurvivalAuc::SurvivalAuc(const RoundLaw& law)
    : depth_(law.depth()),
      latent_(depth_ * kRounds),
      weight_(kRounds),
      survival_(kRounds),
      accepted_(kBins),
      all_(kBins) {
  for (std::size_t i = 0; i < kRounds; ++i) {
    Point point(i + 1);
    Start start;
    start.phase = static_cast<std::size_t>(point.uniform() * static_cast<double>(law.phases()));
    start.request = point.normal();
    start.left = point.normal();
    start.right = point.normal();
    start_.push_back(start);
    std::size_t phase = start.phase;
    double left = start.left, right = start.right;
    for (std::size_t k = 0; k < depth_; ++k) {
      if (++phase == law.phases()) {
        phase = 0;
        left = right;
        right = point.normal();
      }
      latent_[k * kRounds + i] =
          static_cast<float>(law.field(phase, start.request, left, right) + law.own_scale() * point.normal());
    }
  }
}

double SurvivalAuc::of(const DomainLatent& latent, const RoundLaw& law, std::size_t positions) {
  for (std::size_t i = 0; i < kRounds; ++i) {
    const Start& start = start_[i];
    weight_[i] = static_cast<float>(law.starts(start.phase, start.request, start.left, start.right));
  }
  std::fill(survival_.begin(), survival_.end(), 1.0f);
  const auto deviation = static_cast<float>(latent.deviation);
  double sum = 0;
  for (std::size_t k = 0; k < positions; ++k) {
    const auto effect = static_cast<float>(latent.position_effects[k]);
    const float* column = latent_.data() + k * kRounds;
    for (std::size_t i = 0; i < kRounds; ++i) survival_[i] *= logistic(effect + deviation * column[i]);
    std::fill(accepted_.begin(), accepted_.end(), 0.0f);
    std::fill(all_.begin(), all_.end(), 0.0f);
    for (std::size_t i = 0; i < kRounds; ++i) {
      const auto bin = std::min(static_cast<std::size_t>(survival_[i] * kBins), kBins - 1);
      accepted_[bin] += weight_[i] * survival_[i];
      all_[bin] += weight_[i];
    }
    double below = 0, ordered = 0, positive = 0;
    for (std::size_t b = 0; b < kBins; ++b) {
      const double mass = accepted_[b], negative = static_cast<double>(all_[b]) - mass;
      ordered += mass * (below + 0.5 * negative);
      below += negative;
      positive += mass;
    }
    sum += ordered / std::max(1e-12, positive * below);
  }
  return positions > 0 ? sum / static_cast<double>(positions) : 0.5;
}

}  // namespace dspark
