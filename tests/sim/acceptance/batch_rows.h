#pragma once

#include <cstdint>
#include <numeric>
#include <vector>

#include "sim/engine/runner.h"

namespace dspark {

/// Requests 0..n-1 of domain 0, all at anchor 0, as a runner's rows.
struct BatchRows {
  explicit BatchRows(std::size_t n) : id(n), source(n), ordinal(n), anchor(n), attempt(n), domain(n) {
    std::iota(source.begin(), source.end(), 0u);
  }
  RunnerRows rows() const { return {id, source, ordinal, anchor, attempt, domain}; }

  std::vector<RequestId> id;
  std::vector<std::uint32_t> source, ordinal;
  std::vector<std::int32_t> anchor, attempt, domain;
};

}  // namespace dspark
