#include "experiments/evaluation/evaluation.h"

#include <cmath>
#include <limits>

namespace dspark {

std::vector<EvaluatedGroup> evaluated_groups(const std::string& drafter, const RunRecording& recording,
                                             const std::vector<std::string>& domains,
                                             const std::vector<double>& temperatures,
                                             const std::vector<std::int32_t>& contexts) {
  std::vector<EvaluatedGroup> groups;
  for (const double temperature : temperatures) {
    for (const std::int32_t context : contexts) {
      const auto add = [&](const std::string& name, std::int32_t domain) {
        const auto chosen = [&](const RecordedRequest& request) {
          return request.spec.temperature == static_cast<float>(temperature) &&
                 (context == kAnyContext || request.spec.prompt_tokens == context) &&
                 (domain < 0 || request.spec.domain == domain);
        };
        groups.push_back({drafter, name, temperature, context, measure_quality(recording, chosen)});
      };
      for (std::size_t i = 0; i < domains.size(); ++i) add(domains[i], static_cast<std::int32_t>(i));
      if (domains.size() > 1) add(kAllDomains, -1);
    }
  }
  return groups;
}

MeanCalibration mean_calibration(const CalibrationStudy& study) {
  MeanCalibration mean;
  double rounds = 0, with_auc = 0;
  for (const PositionStudy& at : study.positions) {
    const auto weight = static_cast<double>(at.rounds);
    if (at.rounds == 0) continue;
    rounds += weight;
    mean.raw_ece += weight * at.raw.ece;
    mean.ece += weight * at.calibrated.ece;
    mean.debiased_ece += weight * at.calibrated.debiased_ece;
    mean.worst_ece = std::max(mean.worst_ece, at.calibrated.ece);
    if (std::isnan(at.raw.auc) || std::isnan(at.calibrated.auc)) continue;
    with_auc += weight;
    mean.raw_auc += weight * at.raw.auc;
    mean.auc += weight * at.calibrated.auc;
  }
  const auto over = [](double sum, double weight) {
    return weight > 0 ? sum / weight : std::numeric_limits<double>::quiet_NaN();
  };
  mean.raw_ece = over(mean.raw_ece, rounds);
  mean.ece = over(mean.ece, rounds);
  mean.debiased_ece = over(mean.debiased_ece, rounds);
  mean.raw_auc = over(mean.raw_auc, with_auc);
  mean.auc = over(mean.auc, with_auc);
  return mean;
}

namespace {

/// Columns that say which group a row is of.
std::vector<Column> group_columns() {
  return {{"drafter", "", "as it was named", Texts{}},
          {"domain", "", "of the prompts, or all", Texts{}},
          {"temperature", "1", "of sampling", Numbers{}},
          {"context_tokens", "tokens", "of each prompt; 0: of any length", Integers{}}};
}

template <class Values, class Value>
void put(Column& column, const Value& value) {
  std::get<Values>(column.values).push_back(value);
}

void put_group(std::vector<Column>& columns, const EvaluatedGroup& group) {
  put<Texts>(columns[0], group.drafter);
  put<Texts>(columns[1], group.domain);
  put<Numbers>(columns[2], group.temperature);
  put<Integers>(columns[3], group.context_tokens);
}

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

Table groups_table(const Evaluation& evaluation) {
  Table table{"groups", "one drafter on some of the requests, whole blocks verified", false, group_columns()};
  const std::size_t first = table.columns.size();
  for (const auto& [name, what] :
       {std::pair{"requests", "that were served"}, std::pair{"rounds", "of those requests"},
        std::pair{"whole_rounds", "that the end of a reply did not cut"}})
    table.columns.push_back({name, "1", what, Integers{}});
  for (const auto& [name, unit, what] :
       {std::tuple{"tau", "tokens", "accepted length: tokens per whole round, bonus token included"},
        std::tuple{"tau_low", "tokens", "95 % interval over requests"},
        std::tuple{"tau_high", "tokens", "95 % interval over requests"},
        std::tuple{"raw_ece", "1", "of the survival, mean over positions weighted by rounds"},
        std::tuple{"ece", "1", "the same after sequential temperature scaling, on other requests"},
        std::tuple{"debiased_ece", "1", "the same, less what its noise is expected to add"},
        std::tuple{"worst_ece", "1", "of a position, after scaling"},
        std::tuple{"raw_auc", "1", "of the survival, mean over positions weighted by rounds"},
        std::tuple{"auc", "1", "the same after scaling"}})
    table.columns.push_back({name, unit, what, Numbers{}});
  for (const EvaluatedGroup& group : evaluation.groups) {
    const DrafterQuality& quality = group.quality;
    put_group(table.columns, group);
    std::size_t at = first;
    for (const std::int64_t count : {quality.requests, quality.rounds, quality.whole_rounds})
      put<Integers>(table.columns[at++], count);
    const MeanCalibration mean = quality.calibration
                                     ? mean_calibration(*quality.calibration)
                                     : MeanCalibration{kNone, kNone, kNone, kNone, kNone, kNone};
    const Interval& tau = quality.accepted_length;
    for (const double value : {tau.mean, tau.low, tau.high, mean.raw_ece, mean.ece, mean.debiased_ece,
                               mean.worst_ece, mean.raw_auc, mean.auc})
      put<Numbers>(table.columns[at++], value);
  }
  return table;
}

Table positions_table(const Evaluation& evaluation) {
  Table table{"positions", "draft positions of each group", false, group_columns()};
  const std::size_t first = table.columns.size();
  table.columns.push_back({"position", "1", "k, from 1", Integers{}});
  table.columns.push_back({"rounds", "1", "whole rounds verified to k", Integers{}});
  table.columns.push_back({"reached", "1", "of them, with the first k - 1 drafts accepted", Integers{}});
  for (const auto& [name, what] :
       {std::pair{"survival", "share of `rounds` with the first k drafts accepted"},
        std::pair{"acceptance", "share of `reached` with draft k accepted too"},
        std::pair{"acceptance_low", "95 % Wilson interval"},
        std::pair{"acceptance_high", "95 % Wilson interval"},
        std::pair{"temperature_scaling", "T_k of sequential temperature scaling"},
        std::pair{"raw_ece", "of the survival a_k, on requests that did not fit T"},
        std::pair{"ece", "the same, scaled"}, std::pair{"debiased_ece", "the same, less its expected noise"},
        std::pair{"raw_auc", "of the survival a_k"}, std::pair{"auc", "the same, scaled"}})
    table.columns.push_back({name, "1", what, Numbers{}});
  for (const EvaluatedGroup& group : evaluation.groups) {
    for (const PositionQuality& quality : group.quality.positions) {
      put_group(table.columns, group);
      std::size_t at = first;
      for (const std::int64_t count : {std::int64_t{quality.position}, quality.rounds, quality.reached})
        put<Integers>(table.columns[at++], count);
      const auto index = static_cast<std::size_t>(quality.position) - 1;
      const auto& calibration = group.quality.calibration;
      const PositionStudy* study =
          calibration && index < calibration->positions.size() ? &calibration->positions[index] : nullptr;
      const auto of = [&](double PredictionQuality::*member, const PredictionQuality PositionStudy::*which) {
        return study == nullptr || study->rounds == 0 ? kNone : study->*which.*member;
      };
      for (const double value :
           {quality.survival, quality.acceptance, quality.acceptance_interval.low,
            quality.acceptance_interval.high, study == nullptr ? kNone : study->temperature,
            of(&PredictionQuality::ece, &PositionStudy::raw),
            of(&PredictionQuality::ece, &PositionStudy::calibrated),
            of(&PredictionQuality::debiased_ece, &PositionStudy::calibrated),
            of(&PredictionQuality::auc, &PositionStudy::raw),
            of(&PredictionQuality::auc, &PositionStudy::calibrated)})
        put<Numbers>(table.columns[at++], value);
    }
  }
  return table;
}

}  // namespace

ResultFile evaluation_file(const Evaluation& evaluation) {
  ResultFile file;
  file.attributes.emplace_back("kind", "evaluation");
  for (const auto& [name, value] : evaluation.facts) file.attributes.emplace_back(name, value);
  file.tables = {groups_table(evaluation), positions_table(evaluation)};
  return file;
}

}  // namespace dspark
