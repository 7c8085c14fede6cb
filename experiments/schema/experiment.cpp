#include "experiments/schema/experiment.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "experiments/schema/figure_list.h"
#include "experiments/schema/input_files.h"
#include "experiments/schema/machines.h"
#include "experiments/schema/set_option.h"
#include "experiments/schema/sweep_axes.h"
#include "experiments/schema/value_text.h"
#include "experiments/schema/yaml_document.h"
#include "experiments/schema/yaml_reader.h"
#include "policies/nearest_name.h"

namespace dspark {
namespace {

constexpr std::size_t kMaxErrors = 1000;  // a sweep over many points could repeat itself for ever
constexpr std::int64_t kMaxUnits = 10'000'000;

struct Header {
  std::string title;
  std::int64_t seed = 1;
  std::int64_t replications = 5;
  const Value* sweep = nullptr;
  const Value* metrics = nullptr;
  const Value* figures = nullptr;
};

Header read_header(Parameters& top) {
  Header header;
  top.integer("schema", {.min = kSchemaVersion,
                         .max = kSchemaVersion,
                         .meaning = "version of this file's format; the program reads version 1"});
  header.title = top.text(
      "title", {.default_value = "", .meaning = "names the result, in tables and in the figures' metadata"});
  header.seed =
      top.integer("seed", {.min = 0,
                           .default_value = 1,
                           .meaning = "of all random draws, together with the replication's number"});
  header.replications = top.integer(
      "replications",
      {.min = 1, .max = 10'000, .default_value = 5, .meaning = "independent repetitions of every point"});
  header.sweep =
      top.raw("sweep", "map", "axes: grid (every combination), zip (side by side), list (as written)");
  header.metrics = top.raw("metrics", "list of names", "metrics to keep; all if absent");
  header.figures =
      top.raw("figures", "list of figures", "what 'dspark figures' draws; a default set if absent");
  return header;
}

/// Errors without repetition: every point reads the same lines.
class ErrorSet {
 public:
  void add(const Errors& errors) {
    for (const Error& error : errors) {
      if (known_.insert(to_string(error)).second) errors_.push_back(error);
    }
  }
  bool full() const { return errors_.size() >= kMaxErrors; }
  bool empty() const { return errors_.empty(); }

  Errors sorted() && {
    sort_by_position(errors_);
    return std::move(errors_);
  }

 private:
  Errors errors_;
  std::set<std::string> known_;
};

std::vector<std::string> read_metrics(const Value* chosen, Errors& errors) {
  std::vector<std::string> all;
  for (const MetricInfo& info : metric_catalogue()) all.push_back(info.name);
  if (!chosen) return all;
  if (!chosen->list() || chosen->list()->empty()) {
    errors.push_back({"'metrics' must be a list of names, not " + describe(*chosen), chosen->position,
                      "leave it out to keep all; 'dspark list metrics' shows them"});
    return all;
  }
  std::set<std::string> wanted;
  for (const Value& item : *chosen->list()) {
    const std::string name = item.scalar() ? *item.scalar() : std::string();
    if (std::find(all.begin(), all.end(), name) == all.end()) {
      errors.push_back(
          {fmt::format("unknown metric '{}'", label(item)), item.position, known_names_advice(name, all)});
    } else if (!wanted.insert(name).second) {
      errors.push_back({fmt::format("metric '{}' is listed twice", name), item.position});
    }
  }
  std::erase_if(all, [&](const std::string& name) { return !wanted.contains(name); });
  return all;
}

/// The tree of one point. --set on a path that is swept would be overwritten by the axis, silently.
std::optional<Value> point_tree(const Value& root, const SweepAxes& sweep,
                                const std::vector<Assignment>& point, Errors& errors) {
  Value tree = root;
  for (const Assignment& assignment : point) {
    const AxisPath& axis = sweep.axes[assignment.axis];
    if (const Value* before = find_path(tree, axis.keys); before && is_set_option(before->position)) {
      errors.push_back(
          {fmt::format("'{}' is an axis of the sweep, which would overwrite this value", axis.text),
           before->position, fmt::format("use --set sweep.grid.{}=[...]", axis.text)});
      return std::nullopt;
    }
    if (auto error = assign_path(tree, axis.keys, *assignment.value, axis.position)) {
      errors.push_back(std::move(*error));
      return std::nullopt;
    }
  }
  return tree;
}

void describe_work(DigestText& work, const Value& tree) {
  for (const char* key : {"machine", "engine", "workload", "policy", "confidence", "stop"}) {
    const Value* value = tree.find(key);
    work.add(value ? flow_text(*value) : std::string());
  }
}

/// Threads of a real machine move its clock and nothing else: a run that is given its durations may have any.
Value without_threads(Value tree) {
  Value* block = &tree;
  for (const char* key : {"machine", "executor"}) {
    block = const_cast<Value*>(block->find(key));
    if (block == nullptr || !block->map()) return tree;
  }
  std::erase_if(std::get<Value::Map>(block->content),
                [](const Value::Entry& entry) { return entry.key == "threads"; });
  return tree;
}

/// files: those that this point alone names.
Digest point_digest(const Experiment& experiment, const Value& tree, const std::set<std::string>& files,
                    const InputFiles& contents) {
  DigestText text;
  describe_work(text, without_threads(tree));
  text.add(kResultVersion);
  text.add(static_cast<std::int64_t>(experiment.seed));
  for (const std::string& path : files) {
    text.add(path);
    text.add(hex(contents.digests().at(path)));
  }
  return digest_of(text.text());
}

/// Reads every point's scenario; fills axes, points and the work digest's text.
void read_points(const Value& root, const SweepAxes& sweep, InputFiles& files,
                 std::span<const MachineEntry> machines, Experiment& experiment, ErrorSet& errors,
                 DigestText& work) {
  for (const AxisPath& axis : sweep.axes) experiment.axes.push_back(axis.text);
  for (const std::vector<Assignment>& assignments : sweep.points) {
    if (errors.full()) return;
    Errors found;
    const auto tree = point_tree(root, sweep, assignments, found);
    errors.add(found);
    if (!tree) continue;
    Point point;
    std::set<std::string> used;
    const FileLoader load = [&, loader = files.loader()](const std::string& path, const Position& position) {
      auto file = loader(path, position);
      if (file) used.insert(path);
      return file;
    };
    Parameters parameters(*tree, load);
    read_header(parameters);
    point.scenario = Scenario::read(parameters, machines);
    parameters.finish();
    errors.add(parameters.errors());
    if (const Value* policy = tree->find("policy")) point.policy = label(*policy);
    if (const Value* arrivals = find_path(*tree, {"workload", "arrivals"})) {
      if (const auto named = read_named_value(*arrivals)) point.arrivals = named->name;
    }
    for (const AxisPath& axis : sweep.axes) {
      const Value* value = find_path(*tree, axis.keys);
      point.axis_texts.push_back(value ? label(*value) : std::string());
    }
    describe_work(work, *tree);
    point.digest = point_digest(experiment, *tree, used, files);
    experiment.points.push_back(std::move(point));
  }
}

void finish_digests(Experiment& experiment, const InputFiles& files, DigestText& work) {
  work.add(kResultVersion);
  work.add(static_cast<std::int64_t>(experiment.seed));
  work.add(experiment.replications);
  for (const auto& [path, digest] : files.digests()) {
    work.add(path);
    work.add(hex(digest));
    experiment.input_files.push_back(path);
  }
  experiment.work = digest_of(work.text());
  DigestText whole;
  whole.add(hex(experiment.work));
  whole.add(DSPARK_VERSION);
  whole.add(experiment.yaml);
  for (const std::string& option : experiment.set_options) whole.add(option);
  experiment.digest = digest_of(whole.text());
}

std::optional<Experiment> read_text(const std::string& path, std::string yaml,
                                    const std::vector<std::string>& set_options, InputFiles& files,
                                    Errors& errors) {
  Experiment experiment;
  experiment.yaml = std::move(yaml);
  experiment.path = path;
  experiment.set_options = set_options;
  Errors of_document;
  const auto root = parse_document(experiment.yaml, path, set_options, "an experiment", of_document);
  if (!root) {
    errors.insert(errors.end(), of_document.begin(), of_document.end());
    return std::nullopt;
  }
  ErrorSet found;
  found.add(of_document);
  Parameters top(*root);
  const Header header = read_header(top);
  experiment.title = header.title;
  experiment.seed = static_cast<std::uint64_t>(header.seed);
  experiment.replications = static_cast<int>(header.replications);
  Errors here;
  experiment.metrics = read_metrics(header.metrics, here);
  experiment.figures = read_figures(header.figures, experiment.metrics, here);
  const SweepAxes sweep = read_sweep(header.sweep, here);
  if (static_cast<std::int64_t>(sweep.points.size()) * header.replications > kMaxUnits) {
    here.push_back({fmt::format("{} points × {} replications are more than {} runs", sweep.points.size(),
                                header.replications, kMaxUnits),
                    top.position_of("replications")});
  }
  found.add(here);
  const std::string folder = std::filesystem::path(path).parent_path().string();
  DigestText work;
  read_points(*root, sweep, files, real_machines(folder), experiment, found, work);
  if (!found.empty()) {
    errors = std::move(found).sorted();
    return std::nullopt;
  }
  finish_digests(experiment, files, work);
  return experiment;
}

}  // namespace

std::string Point::name(const std::vector<std::string>& axes) const {
  std::string text = "policy=" + policy;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] != "policy") text += fmt::format(", {}={}", axes[i], axis_texts[i]);
  }
  return text;
}

std::optional<Experiment> read_experiment(const std::string& path,
                                          const std::vector<std::string>& set_options, Errors& errors) {
  auto yaml = read_whole_file(path, kMaxYamlBytes);
  if (!yaml) {
    errors.push_back(yaml.error());
    return std::nullopt;
  }
  InputFiles files(std::filesystem::path(path).parent_path().string());
  return read_text(path, *std::move(yaml), set_options, files, errors);
}

std::optional<Experiment> read_experiment(const KeptExperiment& kept, Errors& errors) {
  InputFiles files(kept.inputs);
  return read_text(kept.path, kept.yaml, kept.set_options, files, errors);
}

std::optional<Value> only_point(const KeptExperiment& kept, Errors& errors) {
  Errors found;
  const auto root = parse_document(kept.yaml, kept.path, kept.set_options, "an experiment", found);
  if (!found.empty()) {
    sort_by_position(found);
    errors = std::move(found);
    return std::nullopt;
  }
  Parameters top(*root);
  const SweepAxes sweep = read_sweep(read_header(top).sweep, errors);
  if (!errors.empty()) return std::nullopt;
  if (sweep.points.size() != 1) {
    errors.push_back({fmt::format("it has {} points, not one", sweep.points.size()), root->position});
    return std::nullopt;
  }
  return point_tree(*root, sweep, sweep.points[0], errors);
}

std::vector<ParameterRecord> describe_experiment() {
  Parameters top = Parameters::describing();
  read_header(top);
  return top.records();
}

}  // namespace dspark
