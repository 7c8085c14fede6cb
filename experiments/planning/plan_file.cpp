#include "experiments/planning/plan_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "experiments/planning/plan_blocks.h"
#include "experiments/schema/experiment.h"
#include "experiments/schema/input_files.h"
#include "experiments/schema/machines.h"
#include "experiments/schema/yaml_document.h"
#include "sim/demand/power.h"
#include "sim/scenario.h"

namespace dspark {
namespace {

void read_header(Parameters& top, PlanFile& file) {
  top.integer("schema", {.min = kSchemaVersion,
                         .max = kSchemaVersion,
                         .meaning = "version of this file's format; the program reads version 1"});
  file.title = top.text("title", {.default_value = "", .meaning = "names the result"});
  file.seed = static_cast<std::uint64_t>(
      top.integer("seed", {.min = 0, .default_value = 1, .meaning = "of all random draws"}));
  const std::string objective =
      top.choice("objective", {.options = {"chips", "dollars", "energy"},
                               .default_value = "chips",
                               .meaning = "what is made least: GPUs, their dollars, or kWh at the peak"});
  if (objective == "dollars") file.request.objective = PlanObjective::kDollars;
  if (objective == "energy") file.request.objective = PlanObjective::kEnergy;
  file.request.confidence = top.number(
      "confidence_level", {.min = 0.5,
                           .max = 0.999999,
                           .default_value = 0.95,
                           .meaning = "that a capacity, and a plan in its check, keeps the promise"});
  file.request.utilization =
      top.number("highest_utilization",
                 {.min = 0.05,
                  .max = 1,
                  .default_value = 0.95,
                  .meaning = "share of what a busy replica finishes that it is loaded with at most"});
  file.request.grid.resolution = top.number(
      "resolution",
      {.min = 1e-3, .max = 0.5, .default_value = 0.02, .meaning = "step of the loads that are tried"});
}

void read_stop(Parameters stop, PlanFile& file) {
  file.requests = stop.integer("requests", {.min = 20,
                                            .max = 10'000'000,
                                            .default_value = 500,
                                            .unit = "requests",
                                            .meaning = "measured in each replication"});
  file.warmup_requests = stop.integer(
      "warmup_requests",
      {.min = 0,
       .max = 10'000'000,
       .default_value = 0,
       .unit = "requests",
       .meaning = "finished before measuring starts; 0: the larger of 200 and two per running request"});
  file.request.most_replications = static_cast<int>(stop.integer(
      "most_replications",
      {.min = 4,
       .max = 1000,
       .default_value = 16,
       .meaning = "of one load; what is undecided then counts as not met. An odd number means one more"}));
  file.request.most_replications += file.request.most_replications % 2;
}

/// Every candidate read once as an experiment point: what is wrong with it is found before anything runs.
void check_candidates(const PlanFile& file, InputFiles& files, const std::string& folder,
                      std::set<std::string>& known, Errors& errors) {
  for (const NamedCandidate& candidate : file.candidates) {
    Value arrivals = poisson_arrivals(1);
    if (file.trace) arrivals = thinned_trace(file, 1, 1);
    Parameters point(candidate_point(candidate, arrivals, 1, 1), files.loader());
    const auto scenario = Scenario::read(point, real_machines(folder));
    point.finish();
    for (const Error& error : point.errors()) {
      if (known.insert(to_string(error)).second) errors.push_back(error);
    }
    if (scenario && scenario->is_measured()) {
      errors.push_back({"a plan is simulated: it needs modelled machines"});
      return;
    }
  }
}

void read_all(Parameters& top, PlanFile& file, const FileLoader& loader) {
  read_header(top, file);
  read_traffic(top, file, loader);
  read_promise(top, file);
  read_stop(top.group("stop", "how long a replication is measured, and how many there are"), file);
  read_candidates(top, file);
  read_expectations(top, file);
}

}  // namespace

std::string NamedCandidate::name() const {
  return fmt::format("{} on {}, max_num_seqs {}", policy, machine, max_num_seqs);
}

double DemandAnswer::requests_ratio(double cost_ratio) const {
  const Conditions before;
  Conditions now;
  now.dollars_per_request = now.dollars_per_million_tokens = power(cost_ratio, pass_through);
  return form->relative_volume(now, before);
}

double PlanFile::mean_rate() const {
  double sum = 0;
  for (const double rate : rates) sum += rate;
  return sum / static_cast<double>(rates.size());
}

std::int64_t PlanFile::warmup_of(int max_num_seqs) const {
  return warmup_requests > 0 ? warmup_requests : std::max<std::int64_t>(200, std::int64_t{2} * max_num_seqs);
}

std::optional<PlanFile> read_plan_file(const std::string& path, const std::vector<std::string>& set_options,
                                       Errors& errors) {
  const auto root = read_document(path, set_options, "a plan", errors);
  if (!root) return std::nullopt;
  const std::string folder = std::filesystem::path(path).parent_path().string();
  InputFiles files(folder);
  PlanFile file;
  file.path = path;
  Parameters top(*root, files.loader());
  read_all(top, file, files.loader());
  top.finish();
  std::set<std::string> known;
  for (const Error& error : top.errors()) {
    if (known.insert(to_string(error)).second) errors.push_back(error);
  }
  check_candidates(file, files, folder, known, errors);
  sort_by_position(errors);
  if (!errors.empty()) return std::nullopt;
  file.inputs = files.contents();
  return file;
}

std::vector<ParameterRecord> describe_plan_file() {
  Parameters top = Parameters::describing();
  PlanFile file;
  read_all(top, file, {});
  return top.records();
}

}  // namespace dspark
