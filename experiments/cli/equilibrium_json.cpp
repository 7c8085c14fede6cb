#include <nlohmann/json.hpp>

#include "experiments/cli/equilibrium_report.h"
#include "experiments/schema/value_text.h"

namespace dspark {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kResourceKeys[] = {"gpu_hours", "dollars", "kwh"};
constexpr const char* kExistenceKeys[] = {"found", "rationed", "alternates", "runs_away", "vanishes"};

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

/// R in all and by channel, null where there is none.
Json rebound_json(const ResourceRebound& r, bool attributed) {
  Json json = {{"all", or_null(r.rebound)}, {"shadow", or_null(r.shadow)}};
  const bool split = attributed && r.rebound;
  const char* channels[] = {"volume", "intensity", "new_applications", "quality"};
  for (std::size_t i = 0; i < kChannels; ++i)
    json[channels[i]] = split ? Json(r.by_channel[i]) : Json(nullptr);
  const char* causes[] = {"price", "latency", "quality"};
  for (std::size_t i = 0; i < kCauses; ++i)
    json["by_cause"][causes[i]] = split ? Json(r.by_cause[i]) : Json(nullptr);
  return json;
}

Json resources_json(const ReboundReport& report) {
  Json json;
  for (std::size_t k = 0; k < kResources; ++k) {
    const ResourceRebound& r = report.resources[k];
    json[kResourceKeys[k]] = {{"baseline_per_hour", r.baseline},
                              {"engineering_per_hour", r.engineering},
                              {"equilibrium_per_hour", r.equilibrium},
                              {"ratio", r.ratio},
                              {"rebound", rebound_json(r, report.attributed)}};
  }
  return json;
}

Json equilibria_json(const Equilibria& equilibria) {
  Json json = {{"existence", kExistenceKeys[static_cast<int>(equilibria.existence)]},
               {"found", Json::array()}};
  for (const FixedPoint& point : equilibria.found) {
    json["found"].push_back({{"tokens_per_second", point.state.load.tokens_per_second},
                             {"slope", point.slope},
                             {"stable_up_to_adjustment", point.largest_adjustment()}});
  }
  if (equilibria.existence == Existence::kAlternates)
    json["alternates_between_gpus"] = {equilibria.fewer_gpus, equilibria.more_gpus};
  return json;
}

Json end_json(const Market& market, const ReboundReport& report) {
  const MarketState& end = report.end->state;
  Json json = {{"rebound", rebound_json(report.resources[kGpuHours], report.attributed)},
               {"resource_ratio", report.resources[kGpuHours].ratio},
               {"price", end.price},
               {"user_speed", end.point.user_speed},
               {"waiting_seconds", end.point.waiting_seconds},
               {"busy_share", end.point.busy_share},
               {"price_before", market.baseline.price},
               {"user_speed_before", market.baseline.point.user_speed},
               {"waiting_seconds_before", market.baseline.point.waiting_seconds},
               {"tokens_ratio", report.tokens_ratio},
               {"requests_ratio", report.requests_ratio},
               {"gpu_hours_per_request_ratio", report.gpu_hours_per_request_ratio},
               {"pass_through", report.pass_through},
               {"price_per_cost", report.price_per_cost},
               {"surplus_change_per_hour", report.surplus_per_hour},
               {"turned_away", report.turned_away},
               {"shadow_tokens_per_second", or_null(report.shadow_tokens_per_second)},
               {"price_elasticity", report.price_elasticity},
               {"break_even_multiple", or_null(report.break_even_multiple)},
               {"break_even_elasticity", report.break_even_multiple
                                             ? Json(*report.break_even_multiple * report.price_elasticity)
                                             : Json(nullptr)}};
  json["resources"] = resources_json(report);
  for (std::size_t i = 0; i < market.segments.size(); ++i) {
    json["segments"][market.segments[i].name] = {
        {"requests_per_second_before", market.segments[i].requests_per_second},
        {"requests_per_second", end.by_segment[i].requests_per_second},
        {"tokens_per_second", end.by_segment[i].tokens_per_second}};
  }
  return json;
}

Json checked_json(const CheckedValue& v) {
  return {{"surface", v.surface},
          {"surface_standard_error", v.surface_error.standard},
          {"surface_interpolation_error", v.surface_error.interpolation},
          {"simulated", v.simulated},
          {"simulated_standard_error", v.simulated_error},
          {"difference", v.surface != 0 ? Json(v.difference()) : Json(nullptr)},
          {"in_standard_errors", v.in_errors()}};
}

Json simulated_json(const MeasuredStep& step, const SolutionCheck* check) {
  Json json = {{"experiment", step.request.experiment},
               {"before", label(step.request.before)},
               {"after", label(step.request.after)},
               {"load", step.request.load},
               {"operating_user_speed", step.user_speed},
               {"load_before", step.load_before},
               {"load_after", step.load_after},
               {"gain", step.gain},
               {"gain_error", step.gain_error},
               {"speed_gain", or_null(step.speed_gain)},
               {"speed_gain_error", step.speed_gain ? Json(step.speed_gain_error) : Json(nullptr)},
               {"check", nullptr}};
  if (check == nullptr) return json;
  json["check"] = {
      {"load_in_equilibrium", check->load_at_end},     {"load", check->load},
      {"throughput", checked_json(check->throughput)}, {"user_speed", checked_json(check->user_speed)},
      {"ttft", checked_json(check->time_to_first)},    {"equilibrium_error", check->equilibrium_error}};
  return json;
}

}  // namespace

std::string equilibrium_json(const Market& market, const ReboundReport& report, const SolutionCheck* check) {
  Json root = {{"title", market.title},
               {"gain", market.gain.gain},
               {"speed_gain", market.gain.speed_gain},
               {"operator", operator_name(market.rule)}};
  if (report.end) root.update(end_json(market, report));
  root["no_rebound"] = report.no_rebound;
  root["not_attributed"] = report.not_attributed;
  root["equilibria"] = equilibria_json(report.equilibria);
  if (market.measured) root["simulated_supply"] = simulated_json(*market.measured, check);
  root["assumptions"] = Json::array();
  for (const Assumption& a : market.assumptions) {
    root["assumptions"].push_back({{"what", a.what},
                                   {"value", a.value},
                                   {"source", a.source.empty() ? "assumption" : a.source},
                                   {"caveat", a.caveat}});
  }
  return root.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace dspark
