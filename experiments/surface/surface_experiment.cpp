#include "experiments/surface/surface_experiment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "experiments/schema/input_files.h"
#include "experiments/schema/set_option.h"
#include "experiments/schema/sweep_axes.h"
#include "experiments/schema/value_text.h"
#include "experiments/schema/yaml_reader.h"

namespace dspark {
namespace {

/// How a load is written in an experiment.
struct LoadAxis {
  const char* arrivals = "";
  const char* parameter = "";
  const char* path = "";
};
LoadAxis axis_of(const SurfaceRequest& request) {
  if (request.load == "rate") return {"poisson", "rate", "workload.arrivals.poisson.rate"};
  return {"closed_loop", "users", "workload.arrivals.closed_loop.users"};
}

std::optional<Value> read_root(const SurfaceRequest& request, const std::string& path, Errors& errors) {
  const auto yaml = read_whole_file(path, kMaxYamlBytes);
  if (!yaml) {
    Error error = yaml.error();
    if (!error.position.source) error.position = request.experiment_position;
    errors.push_back(std::move(error));
    return std::nullopt;
  }
  auto root = read_yaml(*yaml, path);
  if (!root) errors.push_back(root.error());
  if (root && !root->map()) errors.push_back({"an experiment is a map of keys", root->position});
  if (!errors.empty()) return std::nullopt;
  return *std::move(root);
}

/// What the experiment sweeps of the load's axis, rising, each once; empty where it does not.
std::vector<double> swept_loads(const Value& root, const char* axis, Errors& errors) {
  std::vector<double> loads;
  const SweepAxes sweep = read_sweep(root.find("sweep"), errors);
  for (const auto& point : sweep.points) {
    for (const Assignment& assignment : point) {
      if (sweep.axes[assignment.axis].text != axis || !assignment.value->scalar()) continue;
      if (const auto load = parse_number(*assignment.value->scalar())) loads.push_back(*load);
    }
  }
  std::sort(loads.begin(), loads.end());
  loads.erase(std::unique(loads.begin(), loads.end()), loads.end());
  return loads;
}

std::vector<double> loads_of(const SurfaceRequest& request, const Value& root, Errors& errors) {
  const LoadAxis axis = axis_of(request);
  const bool swept = request.loads.empty();
  std::vector<double> loads = swept ? swept_loads(root, axis.path, errors) : request.loads;
  const Position position = swept ? request.experiment_position : request.loads_position;
  if (swept && loads.size() < ResponseSurface::kFewestLoads && errors.empty()) {
    errors.push_back({fmt::format("the experiment sweeps {} values of {}, a surface takes {} or more",
                                  loads.size(), axis.path, ResponseSurface::kFewestLoads),
                      position, "give them here: loads: [1, 4, 16, 64]"});
  }
  for (const double load : loads) {
    if (request.load == "users" && load != std::floor(load))
      errors.push_back({fmt::format("users are whole, and {} is not", load), position, "or load: rate"});
  }
  return loads;
}

/// The sweep over policy and load. Other values of the experiment's own arrivals stay, where those are of the
/// kind that is wanted; else these take their place.
std::vector<std::string> set_options(const SurfaceRequest& request, const Value& root, const Value& policy,
                                     const std::vector<double>& loads) {
  const LoadAxis axis = axis_of(request);
  const Value* own = find_path(root, {"workload", "arrivals", axis.arrivals});
  const bool same_kind = own != nullptr && own->map();
  std::string values;
  for (const double load : loads) {
    if (!values.empty()) values += ", ";
    values += same_kind ? number_text(load)
                        : fmt::format("{{{}: {{{}: {}}}}}", axis.arrivals, axis.parameter, number_text(load));
  }
  const std::string path = same_kind ? axis.path : "workload.arrivals";
  std::vector<std::string> options = {
      fmt::format("sweep={{grid: {{policy: [{}], {}: [{}]}}}}", flow_text(policy), path, values)};
  if (request.replications > 0) options.push_back(fmt::format("replications={}", request.replications));
  return options;
}

/// Each error once: both policies of a request find those of the experiment.
void add_errors(const Errors& found, Errors& errors) {
  for (const Error& error : found) {
    const auto same = [&](const Error& e) { return to_string(e) == to_string(error); };
    if (std::none_of(errors.begin(), errors.end(), same)) errors.push_back(error);
  }
}

std::optional<SurfaceExperiment> read(const SurfaceRequest& request, const std::string& path,
                                      const Value& policy, const std::vector<double>* only,
                                      std::vector<std::string> further, Errors& errors) {
  Errors found;
  const auto root = read_root(request, path, found);
  std::vector<double> loads;
  if (root) loads = only ? *only : loads_of(request, *root, found);
  if (!found.empty()) {
    add_errors(found, errors);
    return std::nullopt;
  }
  std::vector<std::string> options = set_options(request, *root, policy, loads);
  options.insert(options.end(), further.begin(), further.end());
  auto experiment = read_experiment(path, options, found);
  for (Error& error : found) {  // what these options say is wrong stands in the request: it is the policy
    if (is_set_option(error.position)) error.position = policy.position;
  }
  if (experiment && experiment->replications < 2) {
    found.push_back({"a surface takes 2 replications or more: one has no standard error",
                     request.experiment_position, "replications: 5"});
  }
  if (experiment && experiment->points.front().scenario->is_measured()) {
    found.push_back({"surfaces are of modelled machines, and this experiment measures a real one",
                     request.experiment_position});
  }
  add_errors(found, errors);
  if (!found.empty()) return std::nullopt;
  return SurfaceExperiment{*std::move(experiment), std::move(loads)};
}

}  // namespace

std::optional<SurfaceExperiment> surface_experiment(const SurfaceRequest& request, const std::string& path,
                                                    const Value& policy, Errors& errors) {
  return read(request, path, policy, nullptr, {}, errors);
}

std::optional<SurfaceExperiment> fresh_experiment(const SurfaceRequest& request, const std::string& path,
                                                  const Value& policy, const std::vector<double>& loads,
                                                  Errors& errors) {
  const auto same = read(request, path, policy, &loads, {}, errors);
  if (!same) return std::nullopt;
  return read(request, path, policy, &loads,
              {fmt::format("seed={}", (same->experiment.seed + 1) % (1ull << 53))}, errors);
}

}  // namespace dspark
