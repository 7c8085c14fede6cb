#include <nlohmann/json.hpp>

#include "experiments/cli/compare_report.h"
#include "experiments/cli/show_data.h"
#include "experiments/results/difference_tables.h"

namespace dspark {
namespace {

using Json = nlohmann::ordered_json;

Json rows_of(const Table& table) { return Json::parse(json_text(table)); }

Json file_json(const std::string& path, const ResultFile& file) {
  const Machine machine = machine_of(file);
  return {{"file", path},
          {"title", file.text("title")},
          {"machine", machine == Machine::kModelled   ? "modelled"
                      : machine == Machine::kMeasured ? "measured"
                                                      : "both"},
          {"seed", file.integer("seed")},
          {"replications", file.integer("replications")},
          {"set_options", file.text("set_options")},
          {"experiment_digest", file.text("experiment_digest")}};
}

Json speed_json(const std::optional<MeasuredSpeed>& speed) {
  if (!speed) return nullptr;
  return {{"runs", speed->runs},
          {"baseline_step_seconds", speed->median},
          {"least_seconds", speed->least},
          {"most_seconds", speed->most},
          {"runs_left_out", speed->left_out}};
}

Json limit_json(const std::optional<double>& limit) { return limit ? Json(*limit) : Json(nullptr); }

}  // namespace

std::string difference_json(const ComparedResults& compared, const ErrorLimits& limits,
                            const std::vector<Judgement>& judgements) {
  const ResultDifferences& d = compared.differences;
  Json root = Json::object();
  root["a"] = file_json(compared.path_a, compared.a);
  root["b"] = file_json(compared.path_b, compared.b);
  root["a"]["speed"] = speed_json(d.speed_a);
  root["b"]["speed"] = speed_json(d.speed_b);
  root["same_yaml"] = compared.a.text("experiment") == compared.b.text("experiment");
  root["error"] = "a / b - 1";
  root["load_axis"] = compared.b.text("load_axis");
  root["axes"] = d.axes;
  root["only_in_one"] = d.fixed;
  root["limits"] = {{"median", limit_json(limits.median)}, {"worst", limit_json(limits.worst)}};
  root["judged"] = Json::array();
  for (const Judgement& judgement : judgements) {
    root["judged"].push_back({{"metric", judgement.metric},
                              {"median", judgement.median},
                              {"worst", judgement.worst},
                              {"passes", judgement.passes}});
  }
  root["summary"] = rows_of(error_summary_table(d));
  root["ranking"] = rows_of(rank_agreement_table(d));
  root["unpaired"] = rows_of(lone_points_table(d, compared.a, compared.b));
  root["differences"] = rows_of(differences_table(d));
  std::string sentence = difference_sentence(compared);
  sentence.pop_back();
  root["sentence"] = std::move(sentence);
  return root.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace dspark
