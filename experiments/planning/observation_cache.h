#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "experiments/digest.h"
#include "sim/planning/service_limit.h"

namespace dspark {

/// Replications of one replica at one load, or the saturation throughput, kept on disk under a digest of all
/// that they are a function of. Each file is written whole or not at all; one that is damaged is computed
/// again after a warning. An empty folder: nothing is kept.
class ObservationCache {
 public:
  explicit ObservationCache(std::string folder) : folder_(std::move(folder)) {}

  std::vector<ReplicaObservation> read(const Digest& key) const;
  void write(const Digest& key, const std::vector<ReplicaObservation>& observations) const;
  std::optional<double> read_saturation(const Digest& key) const;
  void write_saturation(const Digest& key, double saturation) const;

 private:
  std::string path_of(const Digest& key) const;
  std::optional<std::string> payload(const Digest& key) const;
  void keep(const Digest& key, const std::string& payload) const;

  std::string folder_;
};

}  // namespace dspark
