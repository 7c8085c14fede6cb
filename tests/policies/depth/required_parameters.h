#pragma once

#include <string>

#include "tests/policies/written_values.h"

namespace dspark::testing {

/// Values for the parameters that a policy has no default for; empty for most. `largest`: the batch size that
/// rules by batch size are to tell apart.
inline Value required_parameters(const std::string& policy, int largest = 8) {
  if (policy == "fixed") return written_map({{"k", written("3")}});
  if (policy == "k_by_batch_size") {
    return written_map({{"table", written_map({{std::to_string(largest / 4), written("3")},
                                               {std::to_string(largest), written("2")}})}});
  }
  if (policy == "tetris") return written_map({{"capacity_per_request", written("2")}});
  if (policy == "load_knee") {
    return written_map({{"requests", written(std::to_string(largest / 2))}, {"k", written("3")}});
  }
  return {};
}

}  // namespace dspark::testing
