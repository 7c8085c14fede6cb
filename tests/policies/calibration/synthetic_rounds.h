#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

#include "policies/calibration/rounds.h"

namespace dspark {

/// Rounds with a known truth. Position k of a round is accepted, given that those before it were, with
/// probability c*_k = σ(z_k); z_k has parts of the request and of the position. What the drafter says is
/// c_k = σ(T_k · z_k + bias_k): temperature T_k undoes it where the bias is 0.
struct SyntheticRounds {
  std::uint64_t seed = 1;
  std::size_t rounds = 10000;
  int rounds_per_request = 20;
  std::vector<double> mean = {1.2, 0.9, 0.7, 0.6};  // of z_k; as many as γ
  double request_deviation = 0.6;
  double position_deviation = 1.0;
  std::vector<double> temperature = {1, 1, 1, 1};
  std::vector<double> bias = {0, 0, 0, 0};
  /// The next token's z is so much larger where x_k was accepted, and so much smaller where it was not: a
  /// drafter that notices its own bad draws.
  double notices_rejection = 0;
  /// Margins m with c*_k = σ(slope · m + intercept_k) instead, m uniform in 0..10; no confidence.
  bool from_margins = false;
  double slope = 0.4;
  std::vector<double> intercept = {0.5, 0, -0.5, -1};

  Rounds make() const;
};

/// Uniform in (0, 1) and standard normal (a sum of twelve uniforms), the same on every library.
class SyntheticDraws {
 public:
  explicit SyntheticDraws(std::uint64_t seed) : engine_(seed) {}
  double uniform() { return (static_cast<double>(engine_() >> 12) + 0.5) * 0x1p-52; }
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += uniform();
    return sum;
  }

 private:
  std::mt19937_64 engine_;
};

inline double true_sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

inline Rounds SyntheticRounds::make() const {
  SyntheticDraws draws(seed);
  Rounds made;
  const auto gamma = static_cast<int>(mean.size());
  made.block_size = gamma;
  double of_request = 0;
  for (std::size_t row = 0; row < rounds; ++row) {
    const auto request = static_cast<std::int64_t>(row) / rounds_per_request;
    const auto round = static_cast<std::int64_t>(row) % rounds_per_request;
    if (round == 0) of_request = draws.normal() * request_deviation;
    int accepted = 0;
    bool before = true;
    double noticed = 0;
    for (int k = 1; k <= gamma; ++k) {
      const auto i = static_cast<std::size_t>(k - 1);
      double z = mean[i] + of_request + position_deviation * draws.normal() + noticed;
      if (from_margins) {
        const double margin = 10 * draws.uniform();
        z = slope * margin + intercept[i];
        made.margin.push_back(static_cast<float>(margin));
      } else {
        made.confidence.push_back(static_cast<float>(true_sigmoid(temperature[i] * z + bias[i])));
      }
      made.acceptance.push_back(static_cast<float>(true_sigmoid(z)));
      const bool good = draws.uniform() < true_sigmoid(z);
      noticed = good ? notices_rejection : -notices_rejection;
      before = before && good;
      accepted += before;
    }
    made.request.push_back(request);
    made.round.push_back(round);
    made.anchor_position.push_back(100 + 3 * round);
    made.domain.push_back(-1);
    made.drafted.push_back(gamma);
    made.verified.push_back(gamma);
    made.accepted.push_back(accepted);
  }
  return made;
}

/// What a lossless policy leaves of fully verified rounds: it verifies while the survival by raw confidence
/// is at least a floor, which the load of the step sets: uniform in lowest..highest.
inline Rounds cut_by_survival(Rounds rounds, double lowest, double highest, std::uint64_t seed = 99) {
  SyntheticDraws load(seed);
  for (std::size_t row = 0; row < rounds.size(); ++row) {
    const double floor = lowest + (highest - lowest) * load.uniform();
    double survival = 1;
    int verified = 0;
    while (verified < rounds.verified[row]) {
      survival *= static_cast<double>(rounds.confidence[rounds.at(row, verified + 1)]);
      if (survival < floor) break;
      ++verified;
    }
    rounds.verified[row] = verified;
    rounds.accepted[row] = std::min(rounds.accepted[row], verified);
  }
  return rounds;
}

inline std::vector<std::uint32_t> all_rows(const Rounds& rounds) {
  std::vector<std::uint32_t> rows(rounds.size());
  std::iota(rows.begin(), rows.end(), 0u);
  return rows;
}

/// Rows of every second request: `odd` the second, fourth …
inline std::vector<std::uint32_t> rows_of_requests(const Rounds& rounds, bool odd) {
  std::vector<std::uint32_t> rows;
  for (std::size_t row = 0; row < rounds.size(); ++row) {
    if ((rounds.request[row] % 2 == 1) == odd) rows.push_back(static_cast<std::uint32_t>(row));
  }
  return rows;
}

}  // namespace dspark
