#include <nlohmann/json.hpp>

#include "experiments/cli/plan_report.h"

namespace dspark {
namespace {

using Json = nlohmann::ordered_json;

Json candidate_json(const NamedCandidate& candidate) {
  return {
      {"policy", candidate.policy}, {"machine", candidate.machine}, {"max_num_seqs", candidate.max_num_seqs}};
}

Json size_json(const PlanSize& size) {
  return {{"replicas", size.replicas},
          {"serving", size.serving},
          {"gpus", size.chips},
          {"dollars_per_hour", size.dollars_per_hour},
          {"kilowatts", size.kilowatts}};
}

Json check_json(const PlanFile& file, const TestOutcome& check) {
  Json json = {{"met", check.verdict == Verdict::kMet},
               {"replications", check.replications},
               {"limits", Json::object()}};
  for (std::size_t i = 0; i < check.margins.size(); ++i) {
    const bool is_speed = file.limits[i].quantity == ServiceLimit::Quantity::kUserSpeed;
    json["limits"][file.limits[i].name] = {{"found", check.margins[i].value * (is_speed ? 1 : 1e3)},
                                           {"limit", file.limits[i].limit * (is_speed ? 1 : 1e3)},
                                           {"margin", check.margins[i].mean},
                                           {"standard_error", check.margins[i].standard_error}};
  }
  return json;
}

Json plan_json_of(const PlanFile& file, const PlanAnswer& answer, const std::optional<Plan>& plan) {
  if (!plan) return nullptr;
  Json json = candidate_json(file.candidates[plan->candidate]);
  json.update(size_json(plan->size));
  json["capacity"] = plan->capacity;
  json["gpus_if_less"] = plan->chips_if_less;
  json["gpus_if_more"] = plan->chips_if_more;
  const CandidateState& state = answer.states[plan->candidate];
  json["check"] = check_json(file, *state.check);
  json["replicas_added_by_checks"] = state.demoted;
  return json;
}

Json loser_json(const PlanFile& file, const PlanAnswer& answer, const LostCandidate& loser) {
  Json json = candidate_json(file.candidates[loser.candidate]);
  const CandidateState& state = answer.states[loser.candidate];
  json["unreachable"] = loser.unreachable;
  json["least_gpus"] = loser.least ? Json(loser.least->chips) : Json(nullptr);
  json["capacity_at_least"] = state.search ? state.search->largest_met() : 0;
  json["capacity_at_most"] = state.search ? state.search->bound() : 0;
  json["why"] = loser.why;
  return json;
}

Json demand_json(const PlanFile& file, const PlanAnswer& answer) {
  if (!answer.demand) return nullptr;
  Json json = {{"cost_ratio", answer.demand->cost_ratio},
               {"requests_ratio", answer.demand->requests_ratio},
               {"gpus", answer.demand->chips},
               {"resource_ratio", answer.demand->resource_ratio},
               {"rebound", answer.demand->rebound ? Json(*answer.demand->rebound) : Json(nullptr)},
               {"assumptions", Json::array()}};
  for (const Assumption& a : file.demand->assumptions) {
    json["assumptions"].push_back({{"what", a.what},
                                   {"value", a.value},
                                   {"source", a.source.empty() ? "assumption" : a.source},
                                   {"caveat", a.caveat}});
  }
  return json;
}

}  // namespace

std::string plan_json(const PlanFile& file, const PlanAnswer& answer) {
  constexpr const char* kObjectives[] = {"chips", "dollars", "energy"};
  Json root = {{"title", file.title},
               {"objective", kObjectives[static_cast<int>(file.request.objective)]},
               {"peak", file.request.peak},
               {"mean_rate", file.mean_rate()},
               {"confidence", file.request.confidence},
               {"forecast_error", file.forecast_error},
               {"feasible", answer.best.has_value()},
               {"best", plan_json_of(file, answer, answer.best)},
               {"runner_up", plan_json_of(file, answer, answer.runner_up)},
               {"baseline", plan_json_of(file, answer, answer.baseline)},
               {"expected_demand", demand_json(file, answer)},
               {"others", Json::array()},
               {"loads_tested", answer.tests},
               {"replications", answer.replications}};
  for (const LostCandidate& loser : answer.losers) root["others"].push_back(loser_json(file, answer, loser));
  return root.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace dspark
