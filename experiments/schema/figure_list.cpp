#include "experiments/schema/figure_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

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

/// The metrics that a figure is drawn from.
std::vector<std::string> metrics_of(const std::string& figure) {
  if (figure == "frontier") return {"throughput", "user_speed_mean"};
  if (figure == "load" || figure == "crossover") return {"throughput"};
  if (figure == "verification_length") return {"verification_length"};
  return {"acceptance"};
}

/// `name`, or `name.k` for a metric by position; an error where there is no such metric.
std::optional<Error> wrong_metric(const std::string& text, const Position& position) {
  const std::size_t dot = text.find('.');
  const std::string name = text.substr(0, dot);
  std::vector<std::string> names;
  for (const MetricInfo& info : metric_catalogue()) {
    names.push_back(info.name);
    if (info.name != name) continue;
    const auto k = dot == std::string::npos ? std::nullopt : parse_integer(text.substr(dot + 1));
    if (info.by_position && !(k && *k >= 1)) {
      return Error{fmt::format("'{}' is a metric by draft position", name), position,
                   fmt::format("for example {}.1", name)};
    }
    if (!info.by_position && dot != std::string::npos) break;
    return std::nullopt;
  }
  return Error{fmt::format("unknown metric '{}'", text), position, known_names_advice(text, names)};
}

/// JSON of one entry, or empty after an error. Names are identifiers, so nothing needs escapes.
std::string read_figure(const Value& figure, const std::vector<std::string>& metrics, Errors& errors) {
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
  const auto kept = [&](const std::string& metric, const Position& at) {
    if (contains(metrics, metric)) return true;
    fail(fmt::format("figure '{}' needs the metric '{}', which 'metrics' leaves out", *name, metric), at, {});
    return false;
  };
  if (*name != kWithMetric) {
    for (const std::string& metric : metrics_of(*name)) {
      if (!kept(metric, position)) return {};
    }
    if (argument) return fail(fmt::format("figure '{}' takes no value", *name), position, {});
    return fmt::format("\"{}\"", *name);
  }
  if (!argument || !argument->scalar()) {
    return fail("metric_by_load needs a metric", position, "for example {metric_by_load: ttft_p99}");
  }
  const std::string& metric = *argument->scalar();
  if (const auto wrong = wrong_metric(metric, argument->position)) {
    errors.push_back(*wrong);
    return {};
  }
  if (!kept(metric.substr(0, metric.find('.')), argument->position)) return {};
  return fmt::format("{{\"metric_by_load\": \"{}\"}}", *argument->scalar());
}

}  // namespace

std::string read_figures(const Value* figures, const std::vector<std::string>& metrics, Errors& errors) {
  if (!figures) return "[]";
  if (!figures->list()) {
    errors.push_back({"'figures' must be a list, not " + describe(*figures), figures->position,
                      "for example [frontier, crossover]"});
    return "[]";
  }
  std::string json;
  for (const Value& figure : *figures->list()) {
    const std::string text = read_figure(figure, metrics, errors);
    if (!text.empty()) json += (json.empty() ? "" : ", ") + text;
  }
  return "[" + json + "]";
}

}  // namespace dspark
