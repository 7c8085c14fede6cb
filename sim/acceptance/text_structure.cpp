#include "sim/acceptance/text_structure.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "sim/remembered.h"

namespace dspark {

TextStructure structure_of(const RoundLaw& law) {
  double p = 0, squares = 0, twice = 0;  // requests weigh equally
  for (const RoundLaw::OfRequest& request : law.by_request()) {
    p += request.weight * request.first_accepted;
    squares += request.weight * request.first_accepted * request.first_accepted;
    twice += request.weight * request.first_accepted_twice;
  }
  return {std::sqrt(std::max(0.0, squares - p * p)), (twice - p * p) / (p * (1 - p))};
}

namespace {

Result<SolvedStructure> solve(std::span<const double> survival, double auc, const TextStructure& wanted,
                              int text_correlation_tokens) {
  constexpr int kIterations = 14;
  constexpr double kTolerance = 0.001;
  constexpr double kMostShared = 0.98;  // a draft has some luck of its own
  const double p = survival[0];
  const double between_correlation = wanted.between_request_sd * wanted.between_request_sd / (p * (1 - p));
  SolvedStructure solved;
  solved.spread = {
      .between_request_share = 0.1, .text_share = 0.3, .text_correlation_tokens = text_correlation_tokens};
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    PositionEffectsSolver solver(survival.size(), auc, solved.spread, std::move(solved.domain.latent));
    auto domain = solver.solve(survival);
    if (!domain) return domain.error();
    solved.domain = *std::move(domain);
    solved.reached = structure_of(solver.law());
    const TextStructure& now = solved.reached;
    const bool all_is_shared =
        solved.spread.between_request_share + solved.spread.text_share > kMostShared - 1e-9;
    if (std::abs(now.between_request_sd - wanted.between_request_sd) < kTolerance &&
        (std::abs(now.round_correlation - wanted.round_correlation) < kTolerance ||
         (all_is_shared && now.round_correlation < wanted.round_correlation))) {
      break;
    }
    // The variance between requests is in proportion to its share; what correlates rounds beyond it is the
    // text's.
    double& between = solved.spread.between_request_share;
    double& text = solved.spread.text_share;
    const double ratio = wanted.between_request_sd / std::max(1e-3, now.between_request_sd);
    const double now_between = now.between_request_sd * now.between_request_sd / (p * (1 - p));
    const double text_ratio = std::max(0.0, wanted.round_correlation - between_correlation) /
                              std::max(1e-3, now.round_correlation - now_between);
    between = std::clamp(between * std::clamp(ratio * ratio, 0.25, 4.0), 0.0, kMostShared);
    text = std::clamp(text * std::clamp(text_ratio, 0.25, 4.0), 0.0, kMostShared - between);
  }
  return solved;
}

}  // namespace

Result<SolvedStructure> solve_text_structure(std::span<const double> survival, double auc,
                                             const TextStructure& wanted, int text_correlation_tokens) {
  static Remembered<SolvedStructure> remembered;
  std::vector<double> arguments(survival.begin(), survival.end());
  arguments.insert(arguments.end(), {auc, wanted.between_request_sd, wanted.round_correlation,
                                     static_cast<double>(text_correlation_tokens)});
  return remembered.get(std::move(arguments),
                        [&] { return solve(survival, auc, wanted, text_correlation_tokens); });
}

}  // namespace dspark
