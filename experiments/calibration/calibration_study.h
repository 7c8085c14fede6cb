#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "policies/calibration/calibration_error.h"
#include "policies/calibration/rounds.h"
#include "policies/error.h"

namespace dspark {

struct StudyOptions {
  double held_out = 0.5;  // share of the requests that evaluate and do not fit; 0: all fit and evaluate
  int bins = kCalibrationBins;
};

/// How good predictions of one position are. All 0 or NaN (`auc`) without pairs.
struct PredictionQuality {
  double ece = 0;
  double debiased_ece = 0;
  double auc = 0;
  double brier = 0;
  std::vector<CalibrationBin> curve;
};

/// Survival a_k against "the first k were all accepted" on the evaluated rounds that were verified to k.
struct PositionStudy {
  int position = 1;             // k
  double temperature = 1;       // used at k
  bool fitted = false;          // false: too few rounds; the last fitted temperature is used
  std::int64_t fit_rounds = 0;  // verified to k, of those that fit
  std::int64_t rounds = 0;      // verified to k, of those that evaluate
  PredictionQuality raw;
  PredictionQuality calibrated;
};

/// What `dspark calibrate` says about a recording.
struct CalibrationStudy {
  std::vector<double> temperatures;  // T_1..T_m
  std::vector<PositionStudy> positions;
  std::size_t rounds = 0;
  std::size_t requests = 0;
  std::size_t cut_rounds = 0;  // verified less than was drafted
  std::size_t fit_requests = 0;
  std::size_t evaluated_requests = 0;
  bool held_out = true;
};

/// The split is by request, so that rounds of one text do not stand on both sides: of the requests in
/// ascending order, number i (from 1) evaluates where floor(i · share) > floor((i - 1) · share): every second
/// one at 0.5. Errors: no confidence, fewer than 100 rounds to fit position 1, nothing left to hold out.
Result<CalibrationStudy> study_calibration(const Rounds& rounds, const StudyOptions& options);

/// The table that `dspark calibrate` prints. name: of the recording.
std::string study_text(const CalibrationStudy& study, const std::string& name);

/// First bytes of a temperature file; what starts otherwise is never overwritten.
inline constexpr const char* kTemperatureFileMark = "# Temperatures by dspark calibrate";
/// YAML: `temperatures: [T_1, ...]` under comments that say where they come from.
std::string temperatures_yaml(const CalibrationStudy& study, const std::string& name);

/// JSON for experiments/figures/calibration.py: {title, held_out, positions: [{position, temperature, rounds,
/// raw, calibrated}]}, each of the last two {ece, debiased_ece, curve: [[prediction, frequency, low, high,
/// count], ...]}.
std::string study_json(const CalibrationStudy& study, const std::string& name);

}  // namespace dspark
