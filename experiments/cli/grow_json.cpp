#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "experiments/cli/grow_report.h"

namespace dspark {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kResourceKeys[] = {"gpu_hours", "dollars", "kwh"};
constexpr const char* kChannelKeys[] = {"own_growth", "volume", "intensity", "new_applications", "limits"};

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

/// The numbers of an epoch by name, in the order of the columns.
std::vector<std::pair<const char*, double>> numbers(const EpochState& e) {
  std::vector<std::pair<const char*, double>> values = {
      {"years", e.years},
      {"policy_share", e.policy_share},
      {"gpus", e.fleet.gpus},
      {"gpu_equivalents", e.fleet.equivalents},
      {"busy_share", e.point.busy_share},
      {"kilowatts", e.point.kilowatts},
      {"dollars_per_hour", e.point.dollars_per_hour},
      {"cost_per_million_tokens", e.point.cost_per_million_tokens},
      {"price", e.price},
      {"waiting_seconds", e.point.waiting_seconds},
      {"user_speed", e.point.user_speed},
      {"latency_seconds", e.latency_seconds},
      {"requests_per_second", e.load.requests_per_second},
      {"tokens_per_second", e.load.tokens_per_second},
      {"lost_tokens_per_second", e.lost_tokens_per_second},
      {"surplus_change_per_hour", e.surplus_per_hour}};
  return values;
}

Json path_json(const GrowthFile& file, const GrowthPath& path) {
  Json epochs = Json::array();
  for (const EpochState& e : path.epochs) {
    Json epoch;
    for (const auto& [name, value] : numbers(e)) epoch[name] = value;
    for (std::size_t c = 0; c < kTokenChannels; ++c)
      epoch["demanded_tokens_by_channel"][kChannelKeys[c]] = e.tokens_by_channel[c];
    for (std::size_t i = 0; i < e.by_segment.size(); ++i) {
      epoch["demanded_by_segment"][file.market.segments[i].name] = {
          {"requests_per_second", e.by_segment[i].requests_per_second},
          {"tokens_per_second", e.by_segment[i].tokens_per_second}};
    }
    epochs.push_back(std::move(epoch));
  }
  return epochs;
}

Json resources_json(const std::array<ResourceRebound, kResources>& resources) {
  Json json;
  for (std::size_t k = 0; k < kResources; ++k) {
    json[kResourceKeys[k]] = {{"without_policy", resources[k].baseline},
                              {"engineering", resources[k].engineering},
                              {"with_policy", resources[k].equilibrium},
                              {"ratio", resources[k].ratio},
                              {"rebound", or_null(resources[k].rebound)}};
  }
  return json;
}

Json check_json(const std::vector<SimulatedEpoch>& epochs) {
  Json json = Json::array();
  const auto value = [](const CheckedValue& v) {
    return Json{{"surface", v.surface},
                {"surface_error", v.surface_error.total()},
                {"simulated", v.simulated},
                {"simulated_error", v.simulated_error}};
  };
  for (const SimulatedEpoch& e : epochs) {
    json.push_back({{"epoch", e.epoch},
                    {"load_per_replica", e.load},
                    {"throughput", value(e.throughput)},
                    {"user_speed", value(e.user_speed)}});
  }
  return json;
}

/// Lines of one path, under the columns of grow_csv.
std::string csv_lines(const char* name, const GrowthPath& path) {
  std::string text;
  for (std::size_t i = 0; i < path.epochs.size(); ++i) {
    text += fmt::format("{},{}", name, i);
    for (const auto& [key, value] : numbers(path.epochs[i])) text += fmt::format(",{}", value);
    for (const double part : path.epochs[i].tokens_by_channel) text += fmt::format(",{}", part);
    text += "\n";
  }
  return text;
}

}  // namespace

std::string grow_json(const GrowthFile& file, const GrowthReport& report, const GrowthCheck& check) {
  Json root = {{"title", file.market.title}, {"broken", report.broken}};
  root["with_policy"] = path_json(file, report.with_policy);
  root["without_policy"] = path_json(file, report.without_policy);
  root["engineering"] = path_json(file, report.engineering);
  root["resources"] = Json::array();
  for (const auto& epoch : report.resources) root["resources"].push_back(resources_json(epoch));
  if (report.broken.empty()) root["in_all"] = resources_json(report.in_all);
  root["simulated"] = {{"unit", check.unit},
                       {"without_policy", check_json(check.without_policy)},
                       {"with_policy", check_json(check.with_policy)}};
  root["assumptions"] = Json::array();
  for (const auto* list : {&file.market.assumptions, &file.plan.assumptions}) {
    for (const Assumption& a : *list) {
      root["assumptions"].push_back({{"what", a.what},
                                     {"value", a.value},
                                     {"source", a.source.empty() ? "assumption" : a.source},
                                     {"caveat", a.caveat}});
    }
  }
  return root.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string grow_csv(const GrowthReport& report) {
  std::string text = "path,epoch";
  for (const auto& [name, value] : numbers({})) text += fmt::format(",{}", name);
  for (const char* channel : kChannelKeys) text += fmt::format(",demanded_tokens_{}", channel);
  return text + "\n" + csv_lines("without_policy", report.without_policy) +
         csv_lines("engineering", report.engineering) + csv_lines("with_policy", report.with_policy);
}

}  // namespace dspark
