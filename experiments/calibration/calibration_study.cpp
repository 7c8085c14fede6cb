#include "experiments/calibration/calibration_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "policies/calibration/sequential_temperature_scaling.h"
#include "policies/parameters.h"

namespace dspark {
namespace {

using Rows = std::vector<std::uint32_t>;

struct Split {
  Rows fit;
  Rows evaluate;
  std::size_t fit_requests = 0;
  std::size_t evaluated_requests = 0;
};

Split split_by_request(const Rounds& rounds, double held_out) {
  std::vector<std::int64_t> requests = rounds.request;
  std::sort(requests.begin(), requests.end());
  requests.erase(std::unique(requests.begin(), requests.end()), requests.end());
  std::vector<std::uint8_t> evaluates(requests.size());
  Split split;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto before = static_cast<double>(i);
    evaluates[i] = std::floor((before + 1) * held_out) > std::floor(before * held_out);
    split.evaluated_requests += evaluates[i];
  }
  split.fit_requests = requests.size() - split.evaluated_requests;
  for (std::size_t row = 0; row < rounds.size(); ++row) {
    const auto at =
        std::lower_bound(requests.begin(), requests.end(), rounds.request[row]) - requests.begin();
    (evaluates[static_cast<std::size_t>(at)] ? split.evaluate : split.fit)
        .push_back(static_cast<std::uint32_t>(row));
  }
  return split;
}

PredictionQuality quality_of(const LabelledSample& sample, int bins) {
  PredictionQuality quality;
  quality.curve = reliability_curve(sample.prediction, sample.label, bins);
  quality.ece = expected_calibration_error(quality.curve);
  quality.debiased_ece = debiased_calibration_error(quality.curve);
  quality.auc = area_under_roc(sample.prediction, sample.label);
  quality.brier = brier_score(sample.prediction, sample.label);
  return quality;
}

std::string counted(std::size_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

/// `0.1034 → 0.0101`; what does not exist is a dash.
std::string change(double before, double after, std::int64_t rounds) {
  if (rounds == 0 || std::isnan(before)) return fmt::format("{:>15}", "-");
  return fmt::format("{:.4f} → {:.4f}", before, after);
}

}  // namespace

Result<CalibrationStudy> study_calibration(const Rounds& rounds, const StudyOptions& options) {
  if (rounds.confidence.empty()) {
    return Error{"the recording has no confidences", {}, "columns confidence_1 .. confidence_γ"};
  }
  CalibrationStudy study;
  Split split = split_by_request(rounds, options.held_out);
  study.rounds = rounds.size();
  study.requests = split.fit_requests + split.evaluated_requests;
  study.held_out = options.held_out > 0;
  if (study.held_out && split.evaluate.empty()) {
    return Error{fmt::format("nothing can be held out of {}", counted(study.requests, "request")),
                 {},
                 "--held-out 0 evaluates on the rounds that it fits"};
  }
  if (!study.held_out) {
    split.evaluate = split.fit;
    split.evaluated_requests = split.fit_requests;
  }
  study.fit_requests = split.fit_requests;
  study.evaluated_requests = split.evaluated_requests;
  for (std::size_t row = 0; row < rounds.size(); ++row)
    study.cut_rounds += rounds.verified[row] < rounds.drafted[row];

  const TemperatureFitOptions fit{.bins = options.bins};
  study.temperatures = fit_temperatures(rounds, split.fit, fit);
  if (study.temperatures.empty()) {
    const auto have = cumulative_sample(rounds, split.fit, {}, 1).label.size();
    return Error{fmt::format("{} with a known confidence verified position 1, of those to fit",
                             counted(have, "round")),
                 {},
                 fmt::format("at least {} are needed", fit.minimum_rounds)};
  }
  for (int k = 1; k <= rounds.block_size; ++k) {
    PositionStudy position;
    position.position = k;
    position.fitted = static_cast<std::size_t>(k) <= study.temperatures.size();
    position.temperature =
        position.fitted ? study.temperatures[static_cast<std::size_t>(k - 1)] : study.temperatures.back();
    position.fit_rounds = static_cast<std::int64_t>(cumulative_sample(rounds, split.fit, {}, k).label.size());
    const LabelledSample raw = cumulative_sample(rounds, split.evaluate, {}, k);
    position.rounds = static_cast<std::int64_t>(raw.label.size());
    position.raw = quality_of(raw, options.bins);
    position.calibrated =
        quality_of(cumulative_sample(rounds, split.evaluate, study.temperatures, k), options.bins);
    study.positions.push_back(std::move(position));
  }
  return study;
}

std::string study_text(const CalibrationStudy& study, const std::string& name) {
  std::string text = fmt::format("{}: {} of {}, γ {}; {} verified less than was drafted\n", name,
                                 counted(study.rounds, "round"), counted(study.requests, "request"),
                                 study.positions.size(), study.cut_rounds);
  if (study.held_out) {
    text += fmt::format("temperatures from {}, figures below from the other {} (split by request)\n",
                        counted(study.fit_requests, "request"), study.evaluated_requests);
  } else {
    text += "temperatures and figures below from the same rounds (nothing held out): they flatter\n";
  }
  text +=
      "\nsurvival a_k = c_1 · … · c_k as the probability that the first k tokens are all accepted, raw → "
      "calibrated\n";
  text += fmt::format("{:>3} {:>7} {:>8}  {:^15}  {:^15}  {:^15}  {:>9}\n", "k", "T", "rounds", "ECE",
                      "debiased ECE", "AUC", "Brier");
  bool any_missing = false;
  for (const PositionStudy& at : study.positions) {
    any_missing = any_missing || !at.fitted;
    text += fmt::format("{:>3} {:>6.3f}{} {:>8}  {}  {}  {}  {}\n", at.position, at.temperature,
                        at.fitted ? ' ' : '*', at.rounds, change(at.raw.ece, at.calibrated.ece, at.rounds),
                        change(at.raw.debiased_ece, at.calibrated.debiased_ece, at.rounds),
                        change(at.raw.auc, at.calibrated.auc, at.rounds),
                        change(at.raw.brier, at.calibrated.brier, at.rounds));
  }
  if (any_missing) text += "* too few rounds verified to k: the last fitted temperature\n";
  text +=
      "rounds: verified to k, of those evaluated; rounds cut before k say nothing at k and are left out "
      "there\n";
  std::vector<std::string> list;
  for (const double temperature : study.temperatures) list.push_back(fmt::format("{:.3f}", temperature));
  return text + fmt::format("\ntemperatures: [{}]\n", fmt::join(list, ", "));
}

std::string temperatures_yaml(const CalibrationStudy& study, const std::string& name) {
  std::string source = name;
  std::replace_if(
      source.begin(), source.end(), [](unsigned char c) { return c < ' ' || c == 127; }, ' ');
  std::vector<std::string> list;
  for (const double temperature : study.temperatures) list.push_back(number_text(temperature));
  return fmt::format(
      "{}: c_k' = σ(logit(c_k) / T_k); positions past the list use the last.\n"
      "# Fitted by sequential temperature scaling on {} of {}.\n"
      "# In an experiment: confidence: {{temperature_scaling: {{temperatures: [...]}}}}\n"
      "temperatures: [{}]\n",
      kTemperatureFileMark, counted(study.fit_requests, "request"), source, fmt::join(list, ", "));
}

std::string study_json(const CalibrationStudy& study, const std::string& name) {
  using Json = nlohmann::ordered_json;
  const auto quality_json = [](const PredictionQuality& quality) {
    Json curve = Json::array();
    for (const CalibrationBin& bin : quality.curve) {
      curve.push_back({bin.prediction, bin.frequency, bin.low, bin.high, bin.count});
    }
    return Json{{"ece", quality.ece}, {"debiased_ece", quality.debiased_ece}, {"curve", std::move(curve)}};
  };
  Json json{{"title", name}, {"held_out", study.held_out}, {"positions", Json::array()}};
  for (const PositionStudy& at : study.positions) {
    json["positions"].push_back({{"position", at.position},
                                 {"temperature", at.temperature},
                                 {"rounds", at.rounds},
                                 {"raw", quality_json(at.raw)},
                                 {"calibrated", quality_json(at.calibrated)}});
  }
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace dspark
