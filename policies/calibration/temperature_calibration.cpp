#include "policies/calibration/temperature_calibration.h"

#include <algorithm>
#include <utility>

#include "policies/calibration/temper.h"
#include "policies/invariant.h"

namespace dspark {

TemperatureCalibration::TemperatureCalibration(std::vector<double> temperatures)
    : temperatures_(std::move(temperatures)) {
  DSPARK_INVARIANT(!temperatures_.empty());
  for (const double temperature : temperatures_) DSPARK_INVARIANT(temperature > 0);
}

void TemperatureCalibration::apply(const DraftColumns& raw, int depth, std::span<float> confidence) const {
  for (int k = 1; k <= depth; ++k) {
    const auto last = std::min(static_cast<std::size_t>(k), temperatures_.size()) - 1;
    const auto temperature = static_cast<float>(temperatures_[last]);
    const std::size_t column = static_cast<std::size_t>(k - 1) * raw.stride;
    const float* from = raw.confidence.data() + column;
    const int* drafted = raw.drafted.data();
    float* to = confidence.data() + column;
    for (std::size_t r = 0; r < raw.drafted.size(); ++r) {  // vectorises
      const float tempered = temper(from[r], temperature);
      to[r] = k <= drafted[r] ? tempered : 0.0f;
    }
  }
}

}  // namespace dspark
