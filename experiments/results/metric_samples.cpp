#include "experiments/results/metric_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <unordered_map>

#include "policies/invariant.h"

namespace dspark {
namespace {

/// Place in the catalogue and position (0: not by position) of a metric's name.
struct Place {
  std::size_t catalogue = 0;
  std::int64_t position = 0;
  auto operator<=>(const Place&) const = default;
};

Place place_of(const std::string& name) {
  const auto& catalogue = metric_catalogue();
  std::string_view base = name;
  std::int64_t position = 0;
  const auto find = [&] {
    return std::find_if(catalogue.begin(), catalogue.end(),
                        [&](const MetricInfo& info) { return info.name == base; });
  };
  auto found = find();
  if (const std::size_t dot = name.rfind('.'); found == catalogue.end() && dot != std::string::npos) {
    position = parse_integer(base.substr(dot + 1)).value_or(0);
    base = base.substr(0, dot);
    found = find();
  }
  DSPARK_INVARIANT(found != catalogue.end());
  return {static_cast<std::size_t>(found - catalogue.begin()), position};
}

MetricName describe_metric(const std::string& name, const Place& place) {
  const MetricInfo& info = metric_catalogue()[place.catalogue];
  if (place.position == 0) return {name, info.unit, info.description};
  return {name, info.unit, fmt::format("{}; position {}", info.description, place.position)};
}

}  // namespace

MetricSamples::MetricSamples(const Experiment& experiment, const SweepResults& results)
    : points_(experiment.points.size()), replications_(static_cast<std::size_t>(experiment.replications)) {
  const auto& catalogue = metric_catalogue();
  std::unordered_map<std::string, Place> places;
  std::map<Place, std::string> wanted;
  for (const auto& result : results) {
    for (const MetricValue& metric : result->metrics) {
      if (places.contains(metric.name)) continue;
      const Place place = place_of(metric.name);
      places.emplace(metric.name, place);
      const auto& chosen = experiment.metrics;
      if (std::find(chosen.begin(), chosen.end(), catalogue[place.catalogue].name) != chosen.end()) {
        wanted.emplace(place, metric.name);
      }
    }
  }
  std::map<Place, std::size_t> indices;
  for (const auto& [place, name] : wanted) {
    indices.emplace(place, names_.size());
    names_.push_back(describe_metric(name, place));
  }
  values_.assign(names_.size() * results.size(), std::numeric_limits<double>::quiet_NaN());
  for (std::size_t unit = 0; unit < results.size(); ++unit) {
    for (const MetricValue& metric : results[unit]->metrics) {
      const auto index = indices.find(places.at(metric.name));
      if (index == indices.end() || !std::isfinite(metric.value)) continue;
      values_[index->second * results.size() + unit] = metric.value;
    }
  }
}

int MetricSamples::index_of(std::string_view name) const {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (names_[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

std::vector<double> MetricSamples::of(std::size_t metric, std::size_t point) const {
  std::vector<double> values;
  for (std::size_t r = 0; r < replications_; ++r) {
    if (const double value = at(metric, point, r); !std::isnan(value)) values.push_back(value);
  }
  return values;
}

}  // namespace dspark
