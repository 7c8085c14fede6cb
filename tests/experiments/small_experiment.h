#pragma once

#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "experiments/schema/experiment.h"

namespace dspark {

/// A folder of its own for a test's files, removed at the end.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dspark_test_XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A scenario whose numbers are a closed form of (k, users, replication).
class ClosedFormScenario final : public Scenario {
 public:
  ClosedFormScenario(double k, double users) : k_(k), users_(users) {}

  double throughput(std::uint32_t replication) const {
    return users_ * (1 + k_) / (1 + k_ * users_ / 100) * (1 + 0.01 * replication);
  }
  Result<ReplicationResult> run(std::uint64_t seed, std::uint32_t replication,
                                const std::atomic<bool>* cancelled, Watcher*) const override {
    if (cancelled && cancelled->load()) return Error{"cancelled"};
    if (k_ < 0) return Error{"cannot run"};
    std::this_thread::sleep_for(std::chrono::microseconds(200));  // so that threads interleave
    ReplicationResult result;
    result.metrics = {{"throughput", throughput(replication)},
                      {"user_speed_mean", throughput(replication) / users_}};
    for (int i = 1; i <= static_cast<int>(k_); ++i) {
      result.metrics.push_back({"survival." + std::to_string(i), std::pow(0.5, i)});
    }
    result.series = {{0, 1, 2, 3, 4, 5, 6}, {1, 1, 2, 3, 4, 5, 6}};
    result.reliability = {{3, 10, 0.17, 0.2}};
    result.digest = {seed, replication};
    result.events = 12;
    result.simulated_seconds = 1.5;
    return result;
  }
  const std::vector<FitLine>& fits() const override { return fits_; }
  bool policy_is_lossless() const override { return true; }

 private:
  double k_;
  double users_;
  std::vector<FitLine> fits_{{"user speed", "predicted", "tokens/s", std::nan(""), 2.0}};
};

/// Policies k 0, 1, 7 × users 1, 16, 256, three replications; no file behind it.
inline Experiment small_experiment() {
  Experiment experiment;
  experiment.path = "small.yaml";
  experiment.yaml = "schema: 1\n";
  experiment.title = "small";
  experiment.replications = 3;
  experiment.axes = {"policy", "workload.arrivals.closed_loop.users"};
  experiment.work = {1, 2};
  experiment.digest = {3, 4};
  for (const MetricInfo& info : metric_catalogue()) experiment.metrics.push_back(info.name);
  for (const int k : {0, 1, 7}) {
    for (const int users : {1, 16, 256}) {
      Point point;
      point.policy = k == 0 ? "none" : "fixed:" + std::to_string(k);
      point.axis_texts = {point.policy, std::to_string(users)};
      point.scenario = std::make_unique<ClosedFormScenario>(k, users);
      experiment.points.push_back(std::move(point));
    }
  }
  return experiment;
}

}  // namespace dspark
