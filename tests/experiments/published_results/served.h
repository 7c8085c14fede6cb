#pragma once

#include <map>
#include <stdexcept>
#include <string>

#include "experiments/schema/yaml_reader.h"
#include "sim/scenario.h"

namespace dspark::testing {

/// Metrics by name, mean over replications.
using Metrics = std::map<std::string, double>;

/// Serves `policy` in the scenario of `yaml` (the keys machine, engine, workload and stop of an experiment),
/// both written as users write them; every file that it names is `table`. What is wrong with any of them
/// stops the test. Every policy sees the same requests.
inline Metrics serve(const std::string& yaml, const std::string& policy, int replications = 2,
                     const std::string& table = "") {
  const auto read = read_yaml(yaml + "\npolicy: " + policy + "\n", "test.yaml");
  if (!read) throw std::runtime_error(to_string(read.error()));
  Parameters parameters(*read, [&table](const std::string& path, const Position& position) {
    return Result<InputFile>(InputFile{path, table, position});
  });
  const auto scenario = Scenario::read(parameters);
  parameters.finish();
  if (!parameters.errors().empty()) throw std::runtime_error(to_string(parameters.errors()[0]));
  Metrics mean;
  for (int i = 0; i < replications; ++i) {
    const auto result = scenario->run(11, static_cast<std::uint32_t>(i));
    if (!result) throw std::runtime_error(to_string(result.error()));
    for (const MetricValue& metric : result->metrics) mean[metric.name] += metric.value / replications;
  }
  return mean;
}

}  // namespace dspark::testing
