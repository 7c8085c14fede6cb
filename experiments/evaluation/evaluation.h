#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "experiments/evaluation/drafter_quality.h"
#include "experiments/results/result_file.h"

namespace dspark {

/// A drafter on some of the requests.
struct EvaluatedGroup {
  std::string drafter;
  std::string domain;  // or kAllDomains
  double temperature = 0;
  std::int32_t context_tokens = 0;  // of the prompts; or kAnyContext
  DrafterQuality quality;
};
inline constexpr const char* kAllDomains = "all";
inline constexpr std::int32_t kAnyContext = 0;  // prompts of all lengths

/// What `dspark evaluate` finds: groups by drafter, temperature, context and domain, in this order.
struct Evaluation {
  std::vector<std::pair<std::string, std::string>> facts;  // model, machine, options: name and value
  std::vector<EvaluatedGroup> groups;
};

/// The groups of a drafter's recorded run: every domain at every temperature and context, and all domains
/// together where there are several.
std::vector<EvaluatedGroup> evaluated_groups(const std::string& drafter, const RunRecording& recording,
                                             const std::vector<std::string>& domains,
                                             const std::vector<double>& temperatures,
                                             const std::vector<std::int32_t>& contexts);

/// ECE and AUC of the survival over positions 1..γ, on requests that did not fit, the mean over positions
/// weighted by rounds.
struct MeanCalibration {
  double raw_ece = 0, ece = 0;  // before and after sequential temperature scaling
  double debiased_ece = 0;      // after, less what its noise is expected to add
  double worst_ece = 0;         // of a position, after
  double raw_auc = 0, auc = 0;  // NaN where all labels are equal
};
MeanCalibration mean_calibration(const CalibrationStudy& study);

/// Tables for people: τ by group, conditional acceptance by position, calibration.
std::string evaluation_text(const Evaluation& evaluation);
/// One document, for programs and for experiments/figures/evaluation.py (docs/evaluation.md).
std::string evaluation_json(const Evaluation& evaluation);
/// The tables /groups and /positions (docs/evaluation.md).
ResultFile evaluation_file(const Evaluation& evaluation);

}  // namespace dspark
