#include "experiments/recording/recording_file.h"

#include <fmt/format.h>

#include <limits>

#include "experiments/calibration/rounds_hdf5.h"

namespace dspark {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

template <class Values>
Column integers(const char* name, const char* unit, const char* description, const Values& values) {
  return {name, unit, description, Integers(values.begin(), values.end())};
}

/// What every table of rounds has: names, numbers, and signals by position.
void add_rounds(const Rounds& rounds, std::vector<Column>& columns) {
  Texts domains;
  for (const std::int32_t domain : rounds.domain)
    domains.push_back(domain < 0 ? std::string() : rounds.domain_names[static_cast<std::size_t>(domain)]);
  columns.push_back(integers("request", "1", "row of /requests", rounds.request));
  columns.push_back(integers("round", "1", "of this request, from 0", rounds.round));
  columns.push_back(
      integers("anchor_position", "tokens", "of the anchor in prompt and reply", rounds.anchor_position));
  columns.push_back({"domain", "", "of the request; empty: none", std::move(domains)});
  columns.push_back(integers("drafted", "tokens", "that the drafter proposed", rounds.drafted));
  columns.push_back(integers("verified", "tokens", "of those that the target computed", rounds.verified));
  columns.push_back(integers("accepted", "tokens", "of those", rounds.accepted));
}

void add_matrix(const char* name, const char* unit, const char* description, int block_size,
                const std::vector<float>& values, std::vector<Column>& columns) {
  if (values.empty()) return;
  columns.push_back(
      {name, unit, description, Numbers(values.begin(), values.end()), static_cast<std::size_t>(block_size)});
}

void add_signals(const Rounds& rounds, std::vector<Column>& columns) {
  const auto add = [&](const char* name, const char* unit, const char* description,
                       const std::vector<float>& values) {
    add_matrix(name, unit, description, rounds.block_size, values, columns);
  };
  add("confidence", "1", "by position: what the drafter says, before any calibration", rounds.confidence);
  add("top1", "1", "by position: largest draft probability", rounds.top1);
  add("margin", "logits", "by position: largest draft logit less the second", rounds.margin);
  add("entropy", "nats", "by position: of the draft distribution", rounds.entropy);
  add("chosen", "1", "by position: draft probability of the drawn token", rounds.chosen);
  add("acceptance", "1", "by position: 1 - half the L1 distance of draft and target distribution",
      rounds.acceptance);
}

Table rounds_table(const RunRecording& recording) {
  Table table{"rounds", "a row for each decoding request of each step", false, {}};
  table.columns.push_back(integers("step", "1", "row of /steps", recording.step));
  add_rounds(recording.rounds, table.columns);
  table.columns.push_back(
      integers("planned", "tokens", "draft tokens that the drafter was asked for", recording.planned));
  add_signals(recording.rounds, table.columns);
  add_matrix("divergence", "nats", "by position: KL(target || draft), where the policy reads it",
             recording.rounds.block_size, recording.divergence, table.columns);
  return table;
}

Table dense_table(const Rounds& rounds) {
  Table table{kDenseRounds, "a round from every position of each finished reply, given its text", false, {}};
  add_rounds(rounds, table.columns);
  add_signals(rounds, table.columns);
  return table;
}

Table steps_table(const std::vector<RecordedStep>& steps) {
  const auto column = [&](const char* name, const char* unit, const char* description, auto value) {
    Integers values;
    for (const RecordedStep& step : steps) values.push_back(value(step));
    return Column{name, unit, description, std::move(values)};
  };
  const auto seconds = [&](const char* name, const char* description, double StepSeconds::*part) {
    Numbers values;
    for (const RecordedStep& step : steps) values.push_back(step.seconds.*part);
    return Column{name, "s", description, std::move(values)};
  };
  using Step = const RecordedStep&;
  return {
      "steps",
      "a row for each step of the run",
      false,
      {seconds("draft_seconds", "drafting, and what the drafter was told of the step", &StepSeconds::draft),
       seconds("verify_seconds", "the target's pass, prompts too, and acceptance", &StepSeconds::verify),
       seconds("overhead_seconds", "between them: the policy's choice", &StepSeconds::overhead),
       column("decode_requests", "requests", "its rounds", [](Step s) { return s.decode_requests; }),
       column("verified_tokens", "tokens", "draft tokens verified", [](Step s) { return s.verified_tokens; }),
       column("prefill_rows", "rows", "of prompts", [](Step s) { return s.prefill_rows; }),
       column("drafting_requests", "requests", "that drafted", [](Step s) { return s.drafting_requests; }),
       column("draft_steps", "tokens", "largest block drafted", [](Step s) { return s.draft_steps; }),
       column("chosen_after_drafting", "1", "1 where the policy chose after drafting",
              [](Step s) { return std::int64_t{s.chosen_after_drafting}; })}};
}

Table requests_table(const RunRecording& recording) {
  const auto column = [&](const char* name, const char* unit, const char* description, auto value) {
    Integers values;
    for (const RecordedRequest& request : recording.requests) values.push_back(value(request));
    return Column{name, unit, description, std::move(values)};
  };
  const auto limit = [](std::int32_t tokens) { return tokens == kUnlimited ? -1 : tokens; };
  Numbers arrival, temperature;
  Texts domain;
  for (const RecordedRequest& request : recording.requests) {
    arrival.push_back(to_seconds(request.spec.arrival));
    temperature.push_back(static_cast<double>(request.spec.temperature));
    const auto index = static_cast<std::size_t>(request.spec.domain);
    domain.push_back(index < recording.domain_names.size() ? recording.domain_names[index] : std::string());
  }
  using Request = const RecordedRequest&;
  return {"requests",
          "a row for each request that entered, in that order",
          false,
          {column("source", "1", "who asked", [](Request r) { return std::int64_t{r.spec.source}; }),
           column("ordinal", "1", "of this source, from 0",
                  [](Request r) { return std::int64_t{r.spec.ordinal}; }),
           {"arrival_seconds", "s", "virtual time", std::move(arrival)},
           column("prompt_tokens", "tokens", "", [](Request r) { return r.spec.prompt_tokens; }),
           column("output_tokens", "tokens", "of the reply; -1: being served when the run ended",
                  [](Request r) { return r.output_tokens; }),
           column("output_limit", "tokens", "that the engine knew; -1: none",
                  [&](Request r) { return limit(r.spec.output_limit); }),
           column("output_end", "tokens", "where the workload ends the reply; -1: nowhere",
                  [&](Request r) { return limit(r.spec.output_end); }),
           {"domain", "", "empty: none", std::move(domain)},
           {"temperature", "1", "of sampling; 0: greedy", std::move(temperature)}}};
}

Table belief_table(const std::optional<AffineCost>& belief) {
  const AffineCost cost = belief.value_or(AffineCost{kNone, kNone, kNone});
  const char* what = "of the line that policies believed as a step's cost; NaN where the experiment gave it";
  return {"belief",
          "one row",
          false,
          {{"bias_seconds", "s", what, Numbers{cost.bias_seconds}},
           {"seconds_per_request", "s", what, Numbers{cost.seconds_per_request}},
           {"seconds_per_token", "s", what, Numbers{cost.seconds_per_token}}}};
}

std::string joined_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

}  // namespace

ResultFile recording_file(const Experiment& experiment, const RecordedExperiment& recorded,
                          const Rounds& dense) {
  const RunRecording& recording = recorded.recording;
  ResultFile file;
  file.attributes = {{"kind", std::string(kRecordingKind)},
                     {"recording_version", kRecordingVersion},
                     {"title", experiment.title},
                     {"schema_version", std::int64_t{kSchemaVersion}},
                     {"dspark_version", std::string(DSPARK_VERSION)},
                     {"result_version", std::int64_t{kResultVersion}},
                     {"seed", static_cast<std::int64_t>(experiment.seed)},
                     {"replication", std::int64_t{recorded.replication}},
                     {"policy", experiment.points[0].policy},
                     {"experiment", experiment.yaml},
                     {"set_options", joined_lines(experiment.set_options)},
                     {"experiment_digest", hex(experiment.digest)},
                     {"trace_digest", hex({recorded.digest[0], recorded.digest[1]})},
                     {"block_size", std::int64_t{recording.block_size}},
                     {"has_confidence_head", std::int64_t{recording.has_confidence_head}}};
  for (const auto& [path, content] : recorded.experiment.inputs)
    file.attributes.emplace_back(std::string(kRecordedInput) + path, content);
  file.tables = {rounds_table(recording), steps_table(recording.steps), requests_table(recording),
                 belief_table(recording.belief)};
  if (dense.size() > 0) file.tables.push_back(dense_table(dense));
  return file;
}

bool is_recording(const ResultFile& file) { return file.text("kind") == kRecordingKind; }

}  // namespace dspark
