#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policies/parameters.h"
#include "sim/acceptance/latent_acceptance.h"
#include "sim/acceptance/text_structure.h"
#include "sim/scenario.h"

namespace dspark {

/// What the block `acceptance` says beside the curve itself: how drafts differ, and what distorts the
/// confidence.
struct AcceptanceParameters {
  double auc = 0;
  LatentSpread spread;
  std::optional<TextStructure> structure;  // which the shares of `spread` are solved from
  bool shares_given = false;
  double signal_noise = 0;
  Miscalibration miscalibration;
  AcceptanceShift shift;
  int block_size = 0;  // γ; 0: not given, as long as the longest curve
};
AcceptanceParameters read_acceptance_parameters(Parameters& group);

/// The acceptance model of the block `acceptance`: from recorded rounds, or from survival curves (written,
/// preset, or nearest to published accepted lengths), one or by domain, solved so that back-to-back rounds
/// show them. `domains`: names of the workload's domains, in their order; empty where it has none. What was
/// fitted goes to `fits`. Errors go to `group`; then, and while describing, it returns nullptr.
std::shared_ptr<const AcceptanceModel> read_acceptance(Parameters& group,
                                                       const AcceptanceParameters& parameters,
                                                       const std::vector<std::string>& domains,
                                                       std::vector<FitLine>& fits);

}  // namespace dspark
