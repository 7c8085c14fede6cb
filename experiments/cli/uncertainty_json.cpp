#include <cmath>
#include <nlohmann/json.hpp>

#include "experiments/cli/uncertainty_report.h"

namespace dspark {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kOutputKeys[] = {"rebound",
                                       "gpu_hours_ratio",
                                       "price",
                                       "tokens_ratio",
                                       "user_speed",
                                       "surplus_change_per_hour",
                                       "break_even_elasticity"};
constexpr const char* kEndingKeys[] = {"on_branch", "elsewhere", "on_limit", "no_equilibrium", "refused"};

Json or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json share_json(const Share& share) {
  return {{"count", share.count}, {"of", share.of},
          {"share", share.value}, {"standard_error", share.standard_error},
          {"low", share.low},     {"high", share.high}};
}

/// A number where the value is one, else the text of the entry.
Json value_json(const UncertainKey& key, double u) {
  if (key.value.is_number()) return key.value.quantile(u);
  const Value value = key.value.at(u);
  return value.scalar() ? Json(*value.scalar()) : Json(nullptr);
}

Json band_json(const Band& band) {
  const char* names[] = {"p05", "p50", "p95"};
  const double values[] = {band.p05, band.p50, band.p95}, shares[] = {0.05, 0.5, 0.95};
  Json json = {{"draws", band.draws}, {"mean", band.mean}};
  for (std::size_t i = 0; i < 3; ++i) {
    json[names[i]] = values[i];
    json[std::string(names[i]) + "_interval"] = {band.intervals[i][0], band.intervals[i][1]};
    json[std::string(names[i]) + "_standard_error_of_share"] =
        std::sqrt(shares[i] * (1 - shares[i]) / static_cast<double>(band.draws));
  }
  return json;
}

Json outcome_json(const MarketOutcome& outcome) {
  Json json = {{"ending", kEndingKeys[static_cast<std::size_t>(outcome.ending)]}};
  for (std::size_t i = 0; i < kOutputs; ++i) json[kOutputKeys[i]] = or_null(outcome.values[i]);
  if (!outcome.refusal.empty()) json["refusal"] = outcome.refusal;
  return json;
}

Json index_json(const BootstrappedIndex& index) {
  return {{"value", index.value}, {"low", index.low}, {"high", index.high}};
}

Json indices_json(const SobolIndices& indices) {
  return {{"first", index_json(indices.first)}, {"total", index_json(indices.total)}};
}

Json report_json(const UncertainMarket& market, const UncertaintyReport& report) {
  Json json = {{"draws", report.draws}, {"seed", report.seed}};
  for (std::size_t i = 0; i < kOutputs; ++i)
    json["bands"][kOutputKeys[i]] = report.bands[i] ? band_json(*report.bands[i]) : Json(nullptr);
  for (std::size_t i = 0; i < kEndings; ++i) json["endings"][kEndingKeys[i]] = share_json(report.endings[i]);
  json["without_rebound"] = share_json(report.without_rebound);
  json["backfire"] = report.backfire ? share_json(*report.backfire) : Json(nullptr);
  json["refusals"] = Json::object();
  for (const auto& [why, count] : report.refusals) json["refusals"][why] = count;
  json["sensitivity_rows"] = {{"rebound", report.rebound_rows}, {"gpu_hours_ratio", report.gpu_hours_rows}};
  for (std::size_t i = 0; i < market.keys.size(); ++i) {
    const UncertainKey& key = market.keys[i];
    json["sensitivity"].push_back({{"name", key.name},
                                   {"rebound", indices_json(report.rebound[i])},
                                   {"gpu_hours_ratio", indices_json(report.gpu_hours[i])}});
    json["tornado"].push_back({{"name", key.name},
                               {"low", value_json(key, 0.05)},
                               {"high", value_json(key, 0.95)},
                               {"at_low", outcome_json(report.tornado[i].at_low)},
                               {"at_high", outcome_json(report.tornado[i].at_high)}});
  }
  json["deciding"] = deciding_assumption(market, report);
  return json;
}

}  // namespace

std::string with_uncertainty(const std::string& json, const UncertainMarket& market,
                             const std::optional<UncertaintyReport>& report) {
  if (market.keys.empty()) return json;
  Json root = Json::parse(json);
  for (const UncertainKey& key : market.keys) {
    root["uncertain"].push_back({{"name", key.name},
                                 {"p05", value_json(key, 0.05)},
                                 {"median", value_json(key, 0.5)},
                                 {"p95", value_json(key, 0.95)},
                                 {"cut_off", key.cut_off}});
  }
  if (report) root["uncertainty"] = report_json(market, *report);
  return root.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace dspark
