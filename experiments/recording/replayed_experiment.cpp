#include "experiments/recording/replayed_experiment.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "experiments/schema/input_files.h"
#include "experiments/schema/set_option.h"
#include "experiments/schema/value_text.h"
#include "experiments/schema/yaml_reader.h"

namespace dspark {
namespace {

namespace fs = std::filesystem;

std::string number(double value) { return fmt::format("{:.9g}", value); }

}  // namespace

RecordingReach reach_of(const RunRecording& recording) {
  const Rounds& rounds = recording.rounds;
  RecordingReach reach{.rounds = rounds.size()};
  for (std::size_t row = 0; row < rounds.size(); ++row) {
    const RequestSpec& spec = recording.requests[static_cast<std::size_t>(rounds.request[row])].spec;
    const std::int64_t produced = rounds.anchor_position[row] - spec.prompt_tokens + 1;
    // As the engine caps blocks: a round of l verified tokens may deliver l + 1.
    const std::int64_t room =
        spec.output_limit == kUnlimited ? recording.block_size : spec.output_limit - produced - 1;
    const std::int64_t longest = std::min<std::int64_t>(recording.block_size, room);
    const bool cut = recording.planned[row] < longest || (rounds.verified[row] < rounds.drafted[row] &&
                                                          rounds.accepted[row] == rounds.verified[row]);
    if (cut && reach.cut++ == 0) {
      reach.cut_request = rounds.request[row];
      reach.cut_round = rounds.round[row];
    }
    if (rounds.drafted[row] < recording.planned[row]) ++reach.short_drafts;
  }
  return reach;
}

Rounds with_whole_blocks(Rounds rounds, std::span<const std::int32_t> planned) {
  for (std::size_t row = 0; row < rounds.size(); ++row) {
    const std::int32_t asked = planned.empty() ? rounds.block_size : planned[row];
    if (rounds.drafted[row] == asked || asked < rounds.block_size) continue;
    for (const RoundSignal& signal : round_signals()) {
      std::vector<float>& column = rounds.*signal.column;
      for (int k = rounds.drafted[row] + 1; k <= rounds.block_size && !column.empty(); ++k)
        column[rounds.at(row, k)] = 0;
    }
    rounds.drafted[row] = rounds.verified[row] = rounds.block_size;
  }
  return rounds;
}

Result<std::string> given_costs(const std::string& experiment, const std::string& folder) {
  std::error_code ignored;
  const std::string path = fs::is_directory(experiment, ignored)
                               ? (fs::path(experiment) / "experiment.yaml").string()
                               : experiment;
  const auto text = read_whole_file(path, kMaxYamlBytes);
  if (!text) return text.error();
  const auto root = read_yaml(*text, path);
  if (!root) return root.error();
  const Value* machine = find_path(*root, {"machine", "modelled"});
  if (machine == nullptr || machine->find("verify_cost") == nullptr) {
    return Error{
        fmt::format("'{}' has no machine.modelled.verify_cost", path), {}, "--costs names an experiment"};
  }
  std::string costs;
  for (const char* key :
       {"verify_cost", "draft_cost", "step_overhead_ms", "decision_overhead_ms", "idle_drafter_tax"}) {
    const Value* found = machine->find(key);
    if (found == nullptr) continue;
    Value value = *found;
    const Value* table = value.find("table");
    if (table != nullptr && table->scalar() != nullptr) {
      const fs::path beside = fs::path(path).parent_path() / *table->scalar();
      const Value moved{seen_from(beside, folder), table->position};
      if (auto error = assign_path(value, {"table"}, moved, moved.position)) return *std::move(error);
    }
    costs += fmt::format("    {}: {}\n", key, flow_text(value));
  }
  return costs;
}

std::string fitted_costs(const FittedSteps& fitted, const std::string& draft_table) {
  std::string costs = fmt::format(
      "    # Fitted to the recorded steps: median residual {:.1f} %, worst {:.0f} %.\n"
      "    verify_cost: {{bias_ms: {}, per_token_ms: {}, per_request_ms: {}}}\n",
      100 * fitted.median_residual, 100 * fitted.worst_residual, number(1e3 * fitted.verify.bias_seconds),
      number(1e3 * fitted.verify.seconds_per_token), number(1e3 * fitted.verify.seconds_per_request));
  if (!fitted.draft.empty()) costs += fmt::format("    draft_cost: {{table: {}}}\n", quoted(draft_table));
  return costs + fmt::format("    step_overhead_ms: {}\n", number(1e3 * fitted.overhead_seconds));
}

std::string draft_cost_csv(const FittedSteps& fitted) {
  std::string text =
      "# Whole draft blocks by the requests that draft: medians of recorded steps (dspark "
      "replay)\nrequests,draft_ms\n";
  for (const CostTable::Point& point : fitted.draft)
    text += fmt::format("{},{:.9g}\n", static_cast<int>(point.size), 1e3 * point.seconds);
  return text;
}

Result<std::string> replayed_experiment(const RecordedExperiment& recorded, const std::string& recording_path,
                                        const ReplayChanges& changes) {
  Errors errors;
  const auto tree = only_point(recorded.experiment, errors);
  if (!tree) return errors.front();
  Value workload = *tree->find("workload");
  if (!changes.users.empty() && find_path(workload, {"arrivals", "closed_loop"}) == nullptr) {
    const Value users{std::to_string(changes.users.front()), {}};
    const Value loop{Value::Map{{"closed_loop", {}, Value{Value::Map{{"users", {}, users}}, {}}}}, {}};
    if (auto error = assign_path(workload, {"arrivals"}, loop, {})) return *std::move(error);
  }
  std::string text = fmt::format("{}\nschema: 1\ntitle: {}\n", kReplayedExperimentHead,
                                 quoted(fs::path(recording_path).filename().string() + ", replayed"));
  text += line_of(*tree, "seed") + line_of(*tree, "replications") + line_of(*tree, "metrics");
  text += "machine:\n  use: modelled\n  modelled:\n" + changes.costs;
  if (const Value* executor = find_path(*tree, {"machine", "executor"}))
    text += line_of(*executor, "kv", "    ");
  text += fmt::format("    acceptance: {{rounds: {{file: {}}}}}\n", quoted(recording_path));
  text += line_of(*tree, "engine") + fmt::format("workload: {}\n", flow_text(workload));
  const Value* confidence = tree->find("confidence");
  const bool learned = recorded.recording.block_size > 0 && !recorded.recording.has_confidence_head;
  if (learned && (confidence == nullptr || label(*confidence) == "raw")) {
    text += "confidence: margin_estimator  # as the executor does for a drafter without a confidence head\n";
  } else {
    text += line_of(*tree, "confidence");
  }
  const std::string own = flow_text(*tree->find("policy"));
  text += fmt::format("policy: {}\n", changes.policies.empty() ? own : changes.policies.front());
  if (!changes.policies.empty() || !changes.users.empty()) {
    text += "sweep:\n  grid:\n";
    if (!changes.policies.empty())
      text += fmt::format("    policy: [{}]\n", fmt::join(changes.policies, ", "));
    if (!changes.users.empty())
      text += fmt::format("    workload.arrivals.closed_loop.users: [{}]\n", fmt::join(changes.users, ", "));
  }
  return text + line_of(*tree, "stop");
}

}  // namespace dspark
