#include "policies/calibration/confidence_calibrations.h"

#include <utility>

#include "policies/calibration/acceptance_by_position.h"
#include "policies/calibration/margin_estimator.h"
#include "policies/calibration/temperature_calibration.h"

namespace dspark {
namespace {

ConfidenceCalibrationMaker read_temperature_scaling(Parameters& parameters) {
  std::vector<double> temperatures = parameters.numbers(
      "temperatures", {.min = 0.01,
                       .max = 100,
                       .max_count = 64,
                       .meaning = "T by position, as `dspark calibrate` prints them: logistic(logit(c) / T); "
                                  "positions past the list use the last"});
  return [temperatures = std::move(temperatures)](int) {
    return std::make_unique<TemperatureCalibration>(temperatures);
  };
}

ConfidenceCalibrationMaker read_margin_estimator(Parameters& parameters) {
  MarginEstimatorOptions options;
  options.refit_steps =
      static_cast<int>(parameters.integer("refit_steps", {.min = 1,
                                                          .max = 1'000'000,
                                                          .default_value = options.refit_steps,
                                                          .unit = "steps",
                                                          .meaning = "steps between two refits"}));
  options.l2 = parameters.number(
      "l2",
      {.min = 0, .max = 1e6, .default_value = options.l2, .meaning = "penalty on slope and intercepts"});
  options.window = static_cast<int>(parameters.integer(
      "window", {.min = 100,
                 .max = 1 << 22,
                 .default_value = options.window,
                 .unit = "rounds",
                 .meaning = "observations kept at each position; the oldest leave first"}));
  return [options](int block_size) { return std::make_unique<MarginEstimator>(block_size, options); };
}

}  // namespace

const std::vector<ConfidenceCalibrationEntry>& confidence_calibrations() {
  static const std::vector<ConfidenceCalibrationEntry> entries = {
      {"raw", "As the drafter says it", [](Parameters&) { return ConfidenceCalibrationMaker(); }},
      {"temperature_scaling", "logistic(logit(c) / T) with fitted temperatures by position",
       &read_temperature_scaling},
      {"margin_estimator", "Learned online from draft-logit margins: logistic(w · margin + b_k)",
       &read_margin_estimator},
      {"acceptance_by_position",
       "Learned online: how often each position was accepted, the same for all requests",
       [](Parameters&) -> ConfidenceCalibrationMaker {
         return [](int block_size) { return std::make_unique<AcceptanceByPosition>(block_size); };
       }}};
  return entries;
}

ConfidenceCalibrationMaker read_confidence_calibration(Parameters& parameters) {
  std::vector<std::string> names;
  for (const auto& entry : confidence_calibrations()) names.push_back(entry.name);
  Selection selection =
      parameters.one_of("confidence", names, "what policies see of the drafter's confidence", "raw");
  for (const auto& entry : confidence_calibrations()) {
    if (entry.name == selection.name) return entry.read(selection.parameters);
  }
  return {};
}

}  // namespace dspark
