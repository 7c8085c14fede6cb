#include "experiments/schema/figure_list.h"

#include <fmt/format.h>

#include <algorithm>

#include "policies/nearest_name.h"
#include "sim/scenario.h"

namespace dspark {
namespace {

const std::vector<std::string> kFigures{
    "frontier", "load", "crossover", "verification_length", "acceptance_by_position", "metric_by_load"};
const std::string kWithMetric = "metric_by_load";

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// JSON of one entry, or empty after an error. Names are identifiers, so nothing needs escapes.
std::string read_figure(const Value& figure, Errors& errors) {
  const auto fail = [&](std::string message, const Position& position, std::string advice) {
    errors.push_back({std::move(message), position, std::move(advice)});
    return std::string();
  };
  const std::string* name = figure.scalar();
  const Value* argument = nullptr;
  Position position = figure.position;
  if (const Value::Map* map = figure.map(); map && map->size() == 1) {
    name = &map->front().key;
    argument = &map->front().value;
    position = map->front().key_position;
  }
  if (!name) {
    return fail("a figure is a name or {metric_by_load: NAME}, not " + describe(figure), figure.position, {});
  }
  if (!contains(kFigures, *name)) {
    return fail(fmt::format("unknown figure '{}'", *name), position, known_names_advice(*name, kFigures));
  }
  if (*name != kWithMetric) {
    if (argument) return fail(fmt::format("figure '{}' takes no value", *name), position, {});
    return fmt::format("\"{}\"", *name);
  }
  if (!argument || !argument->scalar()) {
    return fail("metric_by_load needs a metric", position, "for example {metric_by_load: ttft_p99}");
  }
  std::vector<std::string> metrics;
  for (const MetricInfo& info : metric_catalogue()) metrics.push_back(info.name);
  if (!contains(metrics, *argument->scalar())) {
    return fail(fmt::format("unknown metric '{}'", *argument->scalar()), argument->position,
                known_names_advice(*argument->scalar(), metrics));
  }
  return fmt::format("{{\"metric_by_load\": \"{}\"}}", *argument->scalar());
}

}  // namespace

std::string read_figures(const Value* figures, Errors& errors) {
  if (!figures) return "[]";
  if (!figures->list()) {
    errors.push_back({"'figures' must be a list, not " + describe(*figures), figures->position,
                      "for example [frontier, crossover]"});
    return "[]";
  }
  std::string json;
  for (const Value& figure : *figures->list()) {
    const std::string text = read_figure(figure, errors);
    if (!text.empty()) json += (json.empty() ? "" : ", ") + text;
  }
  return "[" + json + "]";
}

}  // namespace dspark
