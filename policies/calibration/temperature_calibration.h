#pragma once

#include <vector>

#include "policies/calibration/confidence_calibration.h"

namespace dspark {

/// σ(logit(c_k) / T_k) by position, temperatures fitted offline (sequential_temperature_scaling.h). Above 1
/// it softens, below 1 it sharpens; no confidence crosses 0.5.
class TemperatureCalibration final : public ConfidenceCalibration {
 public:
  /// T_1..T_m, each above 0, m >= 1; positions past the list use the last.
  explicit TemperatureCalibration(std::vector<double> temperatures);

  void apply(const DraftColumns& raw, int depth, std::span<float> confidence) const override;

 private:
  std::vector<double> temperatures_;
};

}  // namespace dspark
