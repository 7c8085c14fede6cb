#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/acceptance/position_effects.h"
#include "tests/sim/acceptance/batch_rows.h"

namespace dspark {

/// Survival solved for lies within this of the law of all rounds (position_effects.h).
inline constexpr double kSolverError = 2e-4;

/// Survival by position, from outcomes, and its standard error.
struct Survival {
  std::vector<double> mean, error;
};

/// Back-to-back rounds at depth γ, once the place of the first round is forgotten. What is counted is what
/// the verifier accepted, not how likely it was. The standard error is that of a ratio of sums over requests
/// (accepted to k; rounds), which are independent of each other, whereas a request's rounds are not.
inline Survival replay_back_to_back(const SolvedDomain& solved, const LatentSpread& spread, RandomKey key,
                                    std::size_t requests) {
  constexpr int kFirstToken = 160, kLastToken = 256;
  const LatentAcceptance model({solved.latent}, spread, {}, 0);
  const std::size_t depth = solved.latent.position_effects.size();
  std::vector<double> rounds(requests), accepted(requests * depth);
  BatchRows rows(requests);
  for (std::size_t r = 0; r < requests; ++r) rows.anchor[r] = static_cast<std::int32_t>(r % 64);
  DraftedBlocks blocks;
  for (bool counting = true; counting;) {
    counting = false;
    model.draw(key, rows.rows(), static_cast<int>(depth), kConfidenceOnly, blocks);
    for (std::size_t r = 0; r < requests; ++r) {
      const bool counted = rows.anchor[r] >= kFirstToken && rows.anchor[r] < kLastToken;
      rows.anchor[r] += blocks.accepted[r] + 1;
      counting = counting || rows.anchor[r] < kLastToken;
      if (!counted) continue;
      rounds[r] += 1;
      for (int k = 0; k < blocks.accepted[r]; ++k) accepted[r * depth + static_cast<std::size_t>(k)] += 1;
    }
  }
  const double all = std::accumulate(rounds.begin(), rounds.end(), 0.0);
  Survival survival;
  for (std::size_t k = 0; k < depth; ++k) {
    double sum = 0, squares = 0;
    for (std::size_t r = 0; r < requests; ++r) sum += accepted[r * depth + k];
    for (std::size_t r = 0; r < requests; ++r) {
      const double residual = accepted[r * depth + k] - sum / all * rounds[r];
      squares += residual * residual;
    }
    survival.mean.push_back(sum / all);
    survival.error.push_back(std::sqrt(squares) / all);
  }
  return survival;
}

/// The largest distance from the table, in standard errors of the replay with the solver's error.
inline double distance_from(const std::vector<double>& table, const Survival& survival) {
  double most = 0;
  for (std::size_t k = 0; k < table.size(); ++k) {
    const double error = std::hypot(survival.error[k], kSolverError);
    most = std::max(most, std::abs(survival.mean[k] - table[k]) / error);
  }
  return most;
}

}  // namespace dspark
