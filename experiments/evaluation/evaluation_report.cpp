#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "experiments/cli/text_table.h"
#include "experiments/evaluation/evaluation.h"

namespace dspark {
namespace {

constexpr std::size_t kWidth = 120;
using Json = nlohmann::ordered_json;

std::string fixed(double value, int decimals) {
  return std::isnan(value) ? "-" : fmt::format("{:.{}f}", value, decimals);
}

Row name_cells(const EvaluatedGroup& group) {
  return {group.drafter, group.domain, fmt::format("{:g}", group.temperature),
          group.context_tokens == kAnyContext ? "any" : fmt::format("{}", group.context_tokens)};
}

Row with(Row row, const Row& more) {
  row.insert(row.end(), more.begin(), more.end());
  return row;
}

const Row kNames = {"drafter", "domain", "T", "context"};

std::string accepted_lengths(const Evaluation& evaluation) {
  std::vector<Row> rows = {with(kNames, {"requests", "rounds", "τ", "95 % interval"})};
  for (const EvaluatedGroup& group : evaluation.groups) {
    const DrafterQuality& quality = group.quality;
    const Interval& tau = quality.accepted_length;
    rows.push_back(
        with(name_cells(group), {fmt::format("{}", quality.requests), fmt::format("{}", quality.whole_rounds),
                                 fixed(tau.mean, 3), fixed(tau.low, 3) + " .. " + fixed(tau.high, 3)}));
  }
  return "accepted length τ (bonus token included), over rounds that no reply's end cut\n" +
         aligned(rows, kNames.size(), kWidth);
}

std::string acceptance_by_position(const Evaluation& evaluation) {
  std::size_t deepest = 0;
  for (const EvaluatedGroup& group : evaluation.groups)
    deepest = std::max(deepest, group.quality.positions.size());
  Row head = kNames;
  for (std::size_t k = 1; k <= deepest; ++k) head.push_back(fmt::format("k={}", k));
  std::vector<Row> rows = {head};
  for (const EvaluatedGroup& group : evaluation.groups) {
    Row row = name_cells(group);
    for (std::size_t k = 0; k < deepest; ++k)
      row.push_back(k < group.quality.positions.size() ? fixed(group.quality.positions[k].acceptance, 3)
                                                       : "-");
    rows.push_back(row);
  }
  return "\nconditional acceptance of draft k, given that those before it were accepted\n" +
         aligned(rows, kNames.size(), kWidth);
}

std::string calibration(const Evaluation& evaluation) {
  std::vector<Row> rows = {
      with(kNames, {"ECE raw", "ECE scaled", "debiased", "AUC raw", "AUC scaled", "temperatures"})};
  for (const EvaluatedGroup& group : evaluation.groups) {
    if (!group.quality.calibration) continue;
    const MeanCalibration mean = mean_calibration(*group.quality.calibration);
    std::string temperatures;
    for (const double t : group.quality.calibration->temperatures)
      temperatures += fmt::format("{}{:.2f}", temperatures.empty() ? "" : " ", t);
    rows.push_back(
        with(name_cells(group), {fixed(mean.raw_ece, 4), fixed(mean.ece, 4), fixed(mean.debiased_ece, 4),
                                 fixed(mean.raw_auc, 3), fixed(mean.auc, 3), temperatures}));
  }
  if (rows.size() == 1) return "";
  return "\nconfidence: survival a_k against \"the first k were accepted\", means over k weighted by rounds; "
         "temperatures\nfitted on one half of the requests, figures from the other\n" +
         aligned(rows, kNames.size(), kWidth);
}

Json number_json(double value) { return std::isnan(value) ? Json(nullptr) : Json(value); }

Json quality_json(const PredictionQuality& quality) {
  Json curve = Json::array();
  for (const CalibrationBin& bin : quality.curve)
    curve.push_back({bin.prediction, bin.frequency, bin.low, bin.high, bin.count});
  return {{"ece", number_json(quality.ece)},
          {"debiased_ece", number_json(quality.debiased_ece)},
          {"auc", number_json(quality.auc)},
          {"brier", number_json(quality.brier)},
          {"curve", std::move(curve)}};
}

Json position_json(const PositionQuality& quality, const PositionStudy* study) {
  Json json{{"position", quality.position},
            {"rounds", quality.rounds},
            {"survival", number_json(quality.survival)},
            {"reached", quality.reached},
            {"acceptance", number_json(quality.acceptance)},
            {"acceptance_low", number_json(quality.acceptance_interval.low)},
            {"acceptance_high", number_json(quality.acceptance_interval.high)}};
  if (study != nullptr) {
    json["temperature_scaling"] = study->temperature;
    json["calibration_rounds"] = study->rounds;
    json["raw"] = quality_json(study->raw);
    json["calibrated"] = quality_json(study->calibrated);
  }
  return json;
}

Json group_json(const EvaluatedGroup& group) {
  const DrafterQuality& quality = group.quality;
  const Interval& tau = quality.accepted_length;
  Json json{{"drafter", group.drafter},
            {"domain", group.domain},
            {"temperature", group.temperature},
            {"context_tokens", group.context_tokens},
            {"requests", quality.requests},
            {"rounds", quality.rounds},
            {"whole_rounds", quality.whole_rounds},
            {"tau", number_json(tau.mean)},
            {"tau_low", number_json(tau.low)},
            {"tau_high", number_json(tau.high)}};
  if (quality.calibration) {
    const MeanCalibration mean = mean_calibration(*quality.calibration);
    json["temperatures"] = quality.calibration->temperatures;
    json["raw_ece"] = number_json(mean.raw_ece);
    json["ece"] = number_json(mean.ece);
    json["debiased_ece"] = number_json(mean.debiased_ece);
    json["worst_ece"] = number_json(mean.worst_ece);
    json["raw_auc"] = number_json(mean.raw_auc);
    json["auc"] = number_json(mean.auc);
  }
  json["positions"] = Json::array();
  for (std::size_t k = 0; k < quality.positions.size(); ++k) {
    const PositionStudy* study = quality.calibration && k < quality.calibration->positions.size()
                                     ? &quality.calibration->positions[k]
                                     : nullptr;
    json["positions"].push_back(position_json(quality.positions[k], study));
  }
  return json;
}

}  // namespace

std::string evaluation_text(const Evaluation& evaluation) {
  return accepted_lengths(evaluation) + acceptance_by_position(evaluation) + calibration(evaluation);
}

std::string evaluation_json(const Evaluation& evaluation) {
  Json json;
  for (const auto& [name, value] : evaluation.facts) json[name] = value;
  json["groups"] = Json::array();
  for (const EvaluatedGroup& group : evaluation.groups) json["groups"].push_back(group_json(group));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace dspark
