#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "policies/calibration/calibration_error.h"
#include "policies/calibration/rounds.h"

namespace dspark {

// Sequential temperature scaling, STS (DSpark paper 3.2; REFERENCE.md section 3): position by position from
// the left, the temperature T_k of c_k' = σ(logit(c_k) / T_k) that minimises the ECE of the cumulative
// product a_k = c_1' · … · c_k', with T_1..T_{k-1} fixed.
//
// Which rounds count at position k. The label is Y_k = 1 where the first k tokens were all accepted. A round
// is used at position k exactly where `verified >= k`, whatever was accepted, and c_1..c_k are known. What a
// policy cuts before k is left out there, and used at the positions before its cut:
//
// * A lossless policy decides about x_k by what is known before x_k is drawn, so being verified to k says
//   nothing about the acceptance of x_1..x_k beyond c_1..c_k: leaving out is unbiased.
// * A rejection before k also tells Y_k = 0 where the cut came before k. Adding those rounds is wrong: among
//   the rounds cut before k only failures would enter, and a_k would look too high.
// * Rounds verified to their very end alone are a sample selected by c_{k+1}..c_γ, and these depend on the
//   drawn x_k: a drafter that sees in c_{k+1} that x_k was a bad draw gives its bad rounds away to the cut.
//   The bias is largest for the policies that trust confidence most.
// * Counting what was not verified as not accepted is wrong by the share that was cut.
//
// The test StsUnderCuts measures all four. What stays: where the confidences are wrong in a way that no
// temperature undoes, the fit is the best one for the rounds that the policy verified, not for all.
// Recordings of a policy that anticipates (traits().lossless == false) have no such guarantee: record at full
// verification.

/// Candidates for T: 257, log-spaced over 1/16..16, so neighbours differ by 2.2 %; the middle one is 1.
constexpr int kTemperatureGridPoints = 257;
/// The grid in ascending order.
std::span<const double> temperature_grid();

/// Pairs of prediction and label at one position.
struct LabelledSample {
  std::vector<double> prediction;
  std::vector<std::uint8_t> label;
};

/// (a_k, Y_k) at position k = 1..γ of those `rows` that are used there, with confidences tempered by T_1..T_k
/// (positions past the list take its last; an empty list leaves them raw). Empty where there is no
/// confidence.
LabelledSample cumulative_sample(const Rounds& rounds, std::span<const std::uint32_t> rows,
                                 std::span<const double> temperatures, int k);

/// The same for the *conditional* label "x_k accepted, given that x_1..x_{k-1} were" against c_k': rounds
/// with verified >= k and accepted >= k - 1. Leaving out what was rejected earlier is the condition itself.
LabelledSample conditional_sample(const Rounds& rounds, std::span<const std::uint32_t> rows,
                                  std::span<const double> temperatures, int k);

struct TemperatureFitOptions {
  int bins = kCalibrationBins;        // of the ECE that is minimised
  std::int64_t minimum_rounds = 100;  // a position with fewer, and all behind it, get no temperature
};

/// T_1..T_m, m <= γ: m is the last position before the first with fewer than `minimum_rounds`. Ties go to the
/// T nearest 1, of two equally near to the larger (it asserts less). Deterministic, the same bits everywhere.
std::vector<double> fit_temperatures(const Rounds& rounds, std::span<const std::uint32_t> rows,
                                     const TemperatureFitOptions& options = {});

}  // namespace dspark
