#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "policies/calibration/sequential_temperature_scaling.h"
#include "tests/policies/calibration/synthetic_rounds.h"

namespace dspark {
namespace {

const std::vector<double> kDistortion{2.0, 1.5, 0.7, 1.25};

double debiased_error(const LabelledSample& sample) {
  return debiased_calibration_error(reliability_curve(sample.prediction, sample.label));
}

TEST(StsOnHeldOutRounds, TemperaturesThatDistortAreUndoneAtEveryPosition) {
  SyntheticRounds truth;
  truth.rounds = 800'000;  // after three acceptances, more than 10^5 of each half still reach position 4
  truth.temperature = kDistortion;
  const Rounds rounds = truth.make();
  const auto held_out = rows_of_requests(rounds, true);
  const auto fitted = fit_temperatures(rounds, rows_of_requests(rounds, false));
  ASSERT_EQ(fitted.size(), 4u);
  for (int k = 1; k <= 4; ++k) {
    EXPECT_GE(conditional_sample(rounds, held_out, {}, k).label.size(), 100'000u) << k;
    EXPECT_GT(debiased_error(cumulative_sample(rounds, held_out, {}, k)), 0.02) << k;
    EXPECT_LE(debiased_error(cumulative_sample(rounds, held_out, fitted, k)), 0.01) << k;
    EXPECT_LE(debiased_error(conditional_sample(rounds, held_out, fitted, k)), 0.01) << k;
    RecordProperty("after_" + std::to_string(k),
                   std::to_string(debiased_error(cumulative_sample(rounds, held_out, fitted, k))));
  }
}

TEST(StsOnHeldOutRounds, ABiasIsLessenedButNoTemperatureUndoesIt) {
  SyntheticRounds truth;
  truth.rounds = 200'000;
  truth.bias = {1, 1, 1, 1};
  const Rounds rounds = truth.make();
  const auto held_out = rows_of_requests(rounds, true);
  const auto fitted = fit_temperatures(rounds, rows_of_requests(rounds, false));
  for (int k = 1; k <= 4; ++k) {
    const double before = debiased_error(cumulative_sample(rounds, held_out, {}, k));
    const double after = debiased_error(cumulative_sample(rounds, held_out, fitted, k));
    EXPECT_LT(after, before) << k;
    RecordProperty("before_" + std::to_string(k), std::to_string(before));
    RecordProperty("after_" + std::to_string(k), std::to_string(after));
  }
  EXPECT_GT(debiased_error(cumulative_sample(rounds, held_out, fitted, 1)), 0.01);
}

/// ln T_k of a fit minus that of the fully verified rounds, over seeds: mean and standard error by position.
struct Deviation {
  std::vector<double> mean;
  std::vector<double> error;
};

using Fit = std::function<std::vector<double>(const Rounds& cut)>;

std::vector<Deviation> deviations(double notices_rejection, const std::vector<Fit>& fits) {
  constexpr int kSeeds = 8;
  std::vector<std::vector<std::vector<double>>> values(fits.size(), std::vector<std::vector<double>>(4));
  for (int seed = 1; seed <= kSeeds; ++seed) {
    SyntheticRounds truth;
    truth.seed = static_cast<std::uint64_t>(seed);
    truth.rounds = 40'000;
    truth.temperature = kDistortion;
    truth.notices_rejection = notices_rejection;
    const Rounds full = truth.make();
    const auto reference = fit_temperatures(full, all_rows(full));
    const Rounds cut = cut_by_survival(full, 0, 0.8, truth.seed + 100);
    for (std::size_t f = 0; f < fits.size(); ++f) {
      const auto fitted = fits[f](cut);
      for (std::size_t k = 0; k < 4; ++k) values[f][k].push_back(std::log(fitted[k] / reference[k]));
    }
  }
  std::vector<Deviation> found(fits.size());
  for (std::size_t f = 0; f < fits.size(); ++f) {
    for (const std::vector<double>& sample : values[f]) {
      double mean = 0;
      for (const double value : sample) mean += value / kSeeds;
      double variance = 0;
      for (const double value : sample) variance += (value - mean) * (value - mean) / (kSeeds - 1);
      found[f].mean.push_back(mean);
      found[f].error.push_back(std::sqrt(variance / kSeeds));
    }
  }
  return found;
}

std::vector<double> fit_as_we_do(const Rounds& cut) { return fit_temperatures(cut, all_rows(cut)); }

std::vector<double> fit_whole_rounds_only(const Rounds& cut) {
  std::vector<std::uint32_t> rows;
  for (std::uint32_t row = 0; row < cut.size(); ++row) {
    if (cut.verified[row] == cut.block_size) rows.push_back(row);
  }
  return fit_temperatures(cut, rows);
}

/// Every label that is known: a rejection before the cut also says that later positions are not reached.
std::vector<double> fit_known_labels(const Rounds& cut) {
  Rounds known = cut;
  for (std::size_t row = 0; row < cut.size(); ++row) {
    if (cut.accepted[row] < cut.verified[row]) known.verified[row] = cut.block_size;
  }
  return fit_as_we_do(known);
}

std::vector<double> fit_unverified_as_rejected(const Rounds& cut) {
  Rounds all = cut;
  all.verified.assign(cut.size(), cut.block_size);
  return fit_as_we_do(all);
}

constexpr double kHalfGridStep = 0.0108;  // ln 2 / 64: what the grid cannot tell apart

TEST(StsUnderCuts, RoundsVerifiedToKGiveWhatFullVerificationGives) {
  const auto found = deviations(0, {fit_as_we_do});
  for (std::size_t k = 0; k < 4; ++k) {
    EXPECT_LT(std::abs(found[0].mean[k]), 4 * found[0].error[k] + kHalfGridStep) << k + 1;
  }
}

TEST(StsUnderCuts, OtherUsesOfCutRoundsAreBiased) {
  const auto found = deviations(0, {fit_known_labels, fit_unverified_as_rejected});
  // Failures enter from every cut, successes do not: survival looks too high, temperatures rise.
  EXPECT_GT(found[0].mean[2] - 4 * found[0].error[2], 0.1);
  EXPECT_GT(found[0].mean[3] - 4 * found[0].error[3], 0.05);
  EXPECT_GT(found[1].mean[3] - 4 * found[1].error[3], 1);
}

TEST(StsUnderCuts, WholeRoundsAreASelectedSampleWhereTheDrafterNoticesItsBadDraws) {
  const auto found = deviations(0.5, {fit_as_we_do, fit_whole_rounds_only});
  EXPECT_LT(std::abs(found[0].mean[0]), 4 * found[0].error[0] + kHalfGridStep);
  // A low c_2 says that x_1 was a bad draw, and cuts the round: what is left was accepted more often.
  EXPECT_LT(found[1].mean[0] + 4 * found[1].error[0], -0.05);
}

}  // namespace
}  // namespace dspark
