#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "policies/calibration/confidence_calibration.h"
#include "policies/parameters.h"

namespace dspark {

/// Makes the calibration of one replica, which may learn, for a drafter with blocks of γ. Empty: raw
/// confidences.
using ConfidenceCalibrationMaker = std::function<std::unique_ptr<ConfidenceCalibration>(int block_size)>;

struct ConfidenceCalibrationEntry {
  std::string name;
  std::string meaning;
  ConfidenceCalibrationMaker (*read)(Parameters&);
};
/// What `confidence` may be: raw, temperature_scaling, margin_estimator, acceptance_by_position.
const std::vector<ConfidenceCalibrationEntry>& confidence_calibrations();

/// Reads the key `confidence`: what depth policies see of the drafter's confidence.
///
///     confidence: raw                                             # as the drafter says it (the default)
///     confidence: {temperature_scaling: {temperatures: [1.4, 1.2]}}   # from `dspark calibrate`
///     confidence: margin_estimator          # learned online, without a confidence head
///     confidence: acceptance_by_position    # learned online, the same for all requests
ConfidenceCalibrationMaker read_confidence_calibration(Parameters& parameters);

}  // namespace dspark
