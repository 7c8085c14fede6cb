#include "sim/acceptance/position_effects.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "policies/elementary.h"
#include "sim/remembered.h"

namespace dspark {
namespace {

constexpr double kFirstDeviation = 1.5, kLeastDeviation = 1e-3, kMostDeviation = 20;

double logit(double p) { return log_portable(p / (1 - p)); }

/// By how much the normal latent flattens a logistic (MacKay 1992): the mean of logistic(a + deviation·N) is
/// about logistic(a / flattening).
double flattening(double deviation) { return std::sqrt(1 + 0.39269908 * deviation * deviation); }

/// A survival table, kept off certainty.
struct Wanted {
  explicit Wanted(std::span<const double> table) {
    constexpr double kLeastReached = 0.005;
    double product = 1;
    for (std::size_t k = 0; k < table.size(); ++k) {
      conditional.push_back(std::clamp(table[k] / (k == 0 ? 1 : table[k - 1]), 1e-4, 1 - 1e-4));
      survival.push_back(product *= conditional.back());
      if (product >= kLeastReached) ranked = k + 1;
    }
  }
  double miss_of(const std::vector<double>& reached) const {
    double miss = 0;
    for (std::size_t k = 0; k < survival.size(); ++k) {
      miss = std::max(miss, std::abs(reached[k] - survival[k]));
    }
    return miss;
  }
  std::vector<double> survival, conditional;
  std::size_t ranked = 0;  // positions that the AUC is averaged over
};

void correct_effects(DomainLatent& latent, const Wanted& wanted, const std::vector<double>& reached,
                     double relaxation) {
  const double step = relaxation * flattening(latent.deviation);
  for (std::size_t k = 0; k < reached.size(); ++k) {
    const double shown = std::clamp(reached[k] / (k == 0 ? 1 : reached[k - 1]), 1e-6, 1 - 1e-6);
    latent.position_effects[k] += step * (logit(wanted.conditional[k]) - logit(shown));
  }
}

/// To first order the probit of the AUC grows in proportion to the deviation.
double corrected_deviation(double deviation, double wanted_auc, double auc) {
  const double ratio = normal_quantile(wanted_auc) / normal_quantile(std::clamp(auc, 0.5005, 0.9995));
  return std::clamp(deviation * std::clamp(ratio, 0.5, 2.0), kLeastDeviation, kMostDeviation);
}

}  // namespace

PositionEffectsSolver::PositionEffectsSolver(std::size_t depth, double auc, const LatentSpread& spread,
                                             DomainLatent start)
    : wanted_auc_(auc), latent_(std::move(start)), law_(spread, depth), auc_(law_) {}

Result<SolvedDomain> PositionEffectsSolver::solve(std::span<const double> survival) {
  constexpr int kPasses = 60, kPassesAtTheEnd = 5;
  constexpr double kSurvivalTolerance = 1e-4, kAucTolerance = 2e-4;
  const Wanted wanted(survival);
  if (latent_.position_effects.empty()) {
    latent_.deviation = kFirstDeviation;
    for (const double c : wanted.conditional) {
      latent_.position_effects.push_back(logit(c) * flattening(kFirstDeviation));
    }
  }
  int at_the_end = 0;
  double relaxation = 1, last_miss = 1;  // where corrections overshoot, shorter ones
  for (int pass = 0; pass < kPasses && at_the_end < kPassesAtTheEnd; ++pass) {
    law_.settle(latent_);
    const std::vector<double> reached = law_.survival();
    const double auc = auc_.of(latent_, law_, wanted.ranked), miss = wanted.miss_of(reached);
    if (miss < kSurvivalTolerance && std::abs(auc - wanted_auc_) < kAucTolerance) {
      return SolvedDomain{latent_, reached, auc};
    }
    if (miss > last_miss) relaxation = std::max(0.3, 0.8 * relaxation);
    last_miss = miss;
    correct_effects(latent_, wanted, reached, relaxation);
    latent_.deviation = corrected_deviation(latent_.deviation, wanted_auc_, auc);
    at_the_end += latent_.deviation == kMostDeviation;
  }
  return Error{fmt::format("no latent spread gives auc {} with this survival table", wanted_auc_),
               {},
               survival.back() > 0.98
                   ? "acceptance so near to certain leaves the confidence nothing to tell apart"
                   : "an auc between 0.6 and 0.95 suits most tables"};
}

Result<SolvedDomain> solve_position_effects(std::span<const double> survival, double auc,
                                            const LatentSpread& spread) {
  return PositionEffectsSolver(survival.size(), auc, spread).solve(survival);
}

double accepted_length_at_depth(const DomainLatent& latent, const LatentSpread& spread, int depth) {
  RoundLaw law(spread, static_cast<std::size_t>(depth));
  law.settle(latent);
  return law.accepted_length();
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
