#pragma once

#include <cstdint>
#include <utility>

#include "policies/elementary.h"
#include "sim/planning/replica_capacity.h"

namespace dspark {

/// A standard normal draw, a function of its four numbers (SplitMix64 of Steele, Lea and Flood, OOPSLA 2014).
inline double synthetic_normal(std::uint64_t seed, int a, int b, int c) {
  std::uint64_t state = seed;
  for (const int word : {a, b, c}) {
    state = (state ^ static_cast<std::uint32_t>(word)) + 0x9E3779B97F4A7C15u;
    state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9u;
    state = (state ^ (state >> 27)) * 0x94D049BB133111EBu;
    state ^= state >> 31;
  }
  return normal_quantile((static_cast<double>(state >> 12) + 0.5) * 0x1p-52);
}

/// A replica whose margin falls in a straight line and is 0 at `capacity`, with Gaussian noise between
/// replications.
class SyntheticReplica final : public ReplicaModel {
 public:
  SyntheticReplica(double saturation, double capacity, double noise, std::uint64_t seed,
                   double busy_share = 1)
      : saturation_(saturation), capacity_(capacity), noise_(noise), seed_(seed), busy_share_(busy_share) {}

  std::optional<double> saturation() const override { return saturation_; }
  std::optional<ReplicaObservation> observe(double load, int series, int replication) const override {
    ReplicaObservation observation;
    const double margin = (1 - load / capacity_) + noise_ * synthetic_normal(seed_, series, replication, 0);
    observation.limits.push_back({margin, load, 0});
    observation.busy_share = busy_share_;
    return observation;
  }

 private:
  double saturation_, capacity_, noise_;
  std::uint64_t seed_;
  double busy_share_;
};

}  // namespace dspark
