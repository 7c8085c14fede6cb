#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "experiments/digest.h"
#include "policies/error.h"
#include "policies/parameters.h"
#include "sim/scenario.h"

namespace dspark {

constexpr int kSchemaVersion = 1;
/// Raised when the program's numbers for an unchanged experiment change: old partial logs are not continued
/// then.
constexpr int kResultVersion = 1;

/// One combination of the sweep's axes.
struct Point {
  std::string policy;                   // as written
  std::string arrivals;                 // the kind of `workload.arrivals`: `closed_loop`, `poisson`, …
  std::vector<std::string> axis_texts;  // one per axis; empty where the point has no such value
  std::unique_ptr<const Scenario> scenario;
  Digest digest = {};  // of everything that one of its runs is a function of, given the steps' durations

  /// "policy=dspark, users=64", for messages.
  std::string name(const std::vector<std::string>& axes) const;
};

/// An experiment file, read, validated and expanded.
struct Experiment {
  std::string path;
  std::string yaml;
  std::vector<std::string> set_options;
  std::string title;
  std::uint64_t seed = 1;
  int replications = 5;
  std::vector<std::string> metrics;  // names in the order of the catalogue; all of them unless chosen
  std::string figures = "[]";        // JSON
  std::vector<std::string> axes;     // dotted paths, in the order written
  std::vector<Point> points;
  Digest work;    // of everything that the numbers depend on: a partial log belongs to it
  Digest digest;  // of everything that the result file depends on
  std::vector<std::string> input_files;  // that it names, as written: tables, traces; not models
};

/// An experiment with the files that it names, kept elsewhere than in their folder.
struct KeptExperiment {
  std::string path;  // in messages
  std::string yaml;
  std::vector<std::string> set_options;
  std::map<std::string, std::string> inputs;  // by path as written
};

/// Reads `path` and applies the --set options. All errors of all points are found, each once, in the order of
/// their positions; nullopt where there was any.
std::optional<Experiment> read_experiment(const std::string& path,
                                          const std::vector<std::string>& set_options, Errors& errors);

/// The same of one that was kept: no file is read.
std::optional<Experiment> read_experiment(const KeptExperiment& kept, Errors& errors);

/// All that the experiment says of its only point: --set options and axes in their places. Errors: no YAML,
/// several points.
std::optional<Value> only_point(const KeptExperiment& kept, Errors& errors);

/// The top level's own parameters, for the reference page.
std::vector<ParameterRecord> describe_experiment();

}  // namespace dspark
