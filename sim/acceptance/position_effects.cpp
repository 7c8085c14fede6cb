#include "sim/acceptance/position_effects.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "policies/elementary.h"
#include "sim/remembered.h"

namespace dspark {
namespace {

// Replies are followed from token 24, where the place of their first round is forgotten, to token 88.
constexpr int kFirstToken = 24;
constexpr int kLastToken = 88;
constexpr std::uint32_t kFewRequests = 1024;    // to come near the solution
constexpr std::uint32_t kManyRequests = 16384;  // to reach it
// Samples of this size scatter by 0.005 .. 0.010 in accepted length. This one was chosen among 48 because it
// lies within 0.002 of their mean, for four tables from 2.4 to 5.6 tokens.
constexpr std::uint32_t kSampleKey = 16;
constexpr int kBins = 1024;

double logit(double p) { return log_portable(p / (1 - p)); }

/// The requests that are still replying, as a runner's rows.
class ChainRows {
 public:
  explicit ChainRows(std::uint32_t requests)
      : id_(requests), ordinal_(requests), anchor_(requests), attempt_(requests), domain_(requests) {
    for (std::uint32_t r = 0; r < requests; ++r) source_.push_back(r);
  }
  RunnerRows rows() const { return {id_, source_, ordinal_, anchor_, attempt_, domain_}; }
  void advance(const std::vector<int>& accepted) {
    for (std::size_t r = source_.size(); r-- > 0;) {
      anchor_[r] += accepted[r] + 1;
      if (anchor_[r] < kLastToken) continue;
      source_[r] = source_.back();
      anchor_[r] = anchor_.back();
      for (auto* column : {&anchor_, &attempt_, &domain_}) column->pop_back();
      source_.pop_back();
      ordinal_.pop_back();
      id_.pop_back();
    }
  }
  bool empty() const { return source_.empty(); }
  bool measured(std::size_t r) const { return anchor_[r] >= kFirstToken; }

 private:
  std::vector<RequestId> id_;
  std::vector<std::uint32_t> source_, ordinal_;
  std::vector<std::int32_t> anchor_, attempt_, domain_;
};

/// Mean survival by position and the AUC of its prediction, over back-to-back rounds. Sums probabilities
/// instead of outcomes, which leaves only the latent's own scatter.
struct Measured {
  std::vector<double> survival;
  double auc = 0;
};

Measured measure(const DomainLatent& latent, const LatentSpread& spread, std::size_t depth,
                 std::uint32_t requests) {
  const LatentAcceptance model({latent}, spread, {}, 0);
  const RandomKey key{kSampleKey, 0x0ddba11};
  std::vector<double> sum(depth, 0);
  std::vector<double> mass(depth * kBins, 0), weight(depth * kBins, 0);
  double rounds = 0;
  DraftedBlocks blocks;
  for (ChainRows chain(requests); !chain.empty(); chain.advance(blocks.accepted)) {
    model.draw(key, chain.rows(), static_cast<int>(depth), kConfidenceOnly, blocks);
    for (std::size_t r = 0; r < blocks.stride; ++r) {
      if (!chain.measured(r)) continue;
      rounds += 1;
      double survival = 1;
      for (std::size_t k = 0; k < depth; ++k) {
        survival *= static_cast<double>(blocks.confidence[k * blocks.stride + r]);
        sum[k] += survival;
        const auto bin = k * kBins + static_cast<std::size_t>(std::min(survival * kBins, kBins - 1.0));
        mass[bin] += survival;
        weight[bin] += 1;
      }
    }
  }
  Measured measured;
  double ranked = 0;  // positions that are reached often enough to say how well they are told apart
  for (std::size_t k = 0; k < depth; ++k) {
    measured.survival.push_back(sum[k] / rounds);
    if (sum[k] < 0.005 * rounds) continue;
    ranked += 1;
    double below = 0, ordered = 0;  // negatives below each bin; pairs in the right order
    for (std::size_t b = k * kBins; b < (k + 1) * kBins; ++b) {
      const double negative = weight[b] - mass[b];
      ordered += mass[b] * (below + 0.5 * negative);
      below += negative;
    }
    measured.auc += ordered / std::max(1e-12, sum[k] * below);
  }
  measured.auc /= std::max(1.0, ranked);
  return measured;
}

}  // namespace

Result<SolvedDomain> solve_position_effects(std::span<const double> survival, double auc,
                                            const LatentSpread& spread) {
  constexpr int kPasses = 80;
  constexpr double kSurvivalTolerance = 5e-4, kAucTolerance = 1e-3;
  std::vector<double> target(survival.size());
  DomainLatent latent;
  for (std::size_t k = 0; k < survival.size(); ++k) {
    const double conditional = std::clamp(survival[k] / (k == 0 ? 1 : survival[k - 1]), 1e-4, 1 - 1e-4);
    target[k] = (k == 0 ? 1 : target[k - 1]) * conditional;
    latent.position_effects.push_back(logit(conditional));
  }
  latent.deviation = 1.5;
  std::uint32_t requests = kFewRequests;
  for (int pass = 0; pass < kPasses; ++pass) {
    const Measured measured = measure(latent, spread, target.size(), requests);
    double miss = 0;
    for (std::size_t k = 0; k < target.size(); ++k)
      miss = std::max(miss, std::abs(measured.survival[k] - target[k]));
    if (miss < kSurvivalTolerance && std::abs(measured.auc - auc) < kAucTolerance) {
      if (requests == kManyRequests) return SolvedDomain{latent, measured.survival, measured.auc};
      requests = kManyRequests;
      continue;
    }
    for (std::size_t k = 0; k < target.size(); ++k) {
      const double wanted = target[k] / (k == 0 ? 1 : target[k - 1]);
      const double reached = measured.survival[k] / (k == 0 ? 1 : measured.survival[k - 1]);
      latent.position_effects[k] += logit(wanted) - logit(std::clamp(reached, 1e-6, 1 - 1e-6));
    }
    // To first order the probit of the AUC grows in proportion to the deviation.
    const double ratio = normal_quantile(auc) / normal_quantile(std::clamp(measured.auc, 0.5005, 0.9995));
    latent.deviation = std::clamp(latent.deviation * std::clamp(ratio, 0.5, 2.0), 1e-3, 30.0);
  }
  return Error{fmt::format("no latent spread gives auc {} with this survival table", auc),
               {},
               survival.back() > 0.98
                   ? "acceptance so near to certain leaves the confidence nothing to tell apart"
                   : "an auc between 0.6 and 0.95 suits most tables"};
}

double accepted_length_at_depth(const DomainLatent& latent, const LatentSpread& spread, int depth) {
  const Measured measured = measure(latent, spread, static_cast<std::size_t>(depth), kManyRequests);
  return std::accumulate(measured.survival.begin(), measured.survival.end(), 1.0);
}

Result<SolvedDomain> remembered_position_effects(std::span<const double> survival, double auc,
                                                 const LatentSpread& spread) {
  static Remembered<SolvedDomain> remembered;
  std::vector<double> arguments(survival.begin(), survival.end());
  arguments.insert(arguments.end(), {auc, spread.between_request_share, spread.text_share,
                                     static_cast<double>(spread.text_correlation_tokens)});
  return remembered.get(std::move(arguments), [&] { return solve_position_effects(survival, auc, spread); });
}

}  // namespace dspark
