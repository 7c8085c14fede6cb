#pragma once

#include <string>
#include <vector>

#include "policies/parameters.h"
#include "sim/virtual_time.h"

namespace dspark {

/// Traffic that changes in mid-run: from `start` to `end` of virtual time the mix of domains, the sampling
/// temperature and the lengths of prompts move linearly from what the workload says to what the drift says,
/// for requests that arrive then. So acceptance and calibration shift under a policy that has learned the old
/// ones.
class WorkloadDrift {
 public:
  /// Reads the group `drift` of the workload, where it is given. `domains`: the workload's names; `weights`:
  /// its mix, which the drift starts from, adding up to 1; `temperature`: likewise.
  WorkloadDrift(Parameters& workload, const std::vector<std::string>& domains, std::vector<double> weights,
                double temperature, bool own_lengths);

  /// The domain of a request whose coin is `u` in (0, 1): with the same coin, the same one before the drift.
  std::int32_t domain(VirtualTime arrival, double u) const;
  double temperature(VirtualTime arrival) const;
  /// Factor on the lengths of prompts.
  double prompt_factor(VirtualTime arrival) const;

 private:
  /// 0 before the start, 1 after the end.
  double progress(VirtualTime arrival) const;

  bool given_ = false;
  double start_seconds_ = 0, end_seconds_ = 0;
  std::vector<double> from_, to_;  // (domains) weights adding up to 1
  double temperature_from_ = 1, temperature_to_ = 1;
  double prompt_factor_to_ = 1;
};

/// Weights of named domains from a map, adding up to 1: `{math: 1, chat: 2}`; in the map's order. Empty after
/// an error.
struct DomainWeights {
  std::vector<std::string> names;
  std::vector<double> weights;
};
DomainWeights read_domain_weights(Parameters& parameters, std::string_view name, std::string_view meaning);

}  // namespace dspark
