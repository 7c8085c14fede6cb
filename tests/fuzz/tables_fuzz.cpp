#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "sim/acceptance/recorded_acceptance_parameters.h"
#include "sim/hardware/single_user_fit.h"
#include "sim/hardware/step_cost_parameters.h"
#include "sim/table/csv.h"
#include "sim/workload/arrival_process.h"
#include "sim/workload/request_shapes.h"
#include "tests/fuzz/expect.h"

namespace dspark {
namespace {

Value text(std::string scalar) { return {std::move(scalar)}; }
Value map(Value::Map entries) { return {std::move(entries)}; }

/// Parameters whose only file has these bytes.
Parameters with_file(Value::Map entries, const std::string& content) {
  return Parameters(map(std::move(entries)), [content](const std::string& path, const Position& position) {
    return Result<InputFile>(InputFile{path, content, position});
  });
}

void expect_cost(const CostTable& table) {
  for (const int size : {0, 1, 7, 1 << 12}) {
    for (const auto form : {CostForm::kStaircase, CostForm::kHull}) {
      const double seconds = table.seconds(size, form);
      expect(std::isfinite(seconds) && seconds >= 0, "the cost of a step is finite and not negative");
    }
  }
}

void read_costs(const std::string& content, bool running_maximum) {
  Value::Map verify{{"table", {}, text("t.csv")},
                    {"running_maximum", {}, text(running_maximum ? "true" : "false")}};
  Parameters parameters = with_file({{"verify_cost", {}, map(std::move(verify))}}, content);
  const StepCost::Parts parts = read_step_cost(parameters, false);
  if (parameters.errors().empty()) expect_cost(*parts.verify_table);
}

void read_draft_costs(const std::string& content) {
  Parameters parameters =
      with_file({{"verify_cost", {}, map({{"bias_ms", {}, text("1")}, {"per_token_ms", {}, text("1")}})},
                 {"draft_cost", {}, map({{"table", {}, text("t.csv")}})}},
                content);
  const StepCost::Parts parts = read_step_cost(parameters, false);
  if (parameters.errors().empty()) expect_cost(*parts.draft_table);
}

void read_speeds(const std::string& content) {
  const auto table = CsvTable::parse({"t.csv", content, {}});
  if (!table) return;
  const auto speeds = read_single_user_speeds(*table, {"none", "k1"});
  if (!speeds) return;
  for (const SingleUserSpeed& speed : *speeds) {
    expect(speed.k >= 0 && speed.k <= 64, "a depth of 0 .. 64");
    expect(std::isfinite(speed.tokens_per_second) && speed.tokens_per_second > 0, "a speed above 0");
  }
}

void read_trace(const std::string& content) {
  for (const ArrivalEntry& entry : arrival_processes()) {
    if (entry.name != "azure_trace") continue;
    Parameters parameters = with_file({{"file", {}, text("t.csv")}}, content);
    const auto process = entry.construct(parameters);
    expect(process->brings_lengths(), "a trace brings its lengths");
  }
}

void read_lengths(const std::string& content) {
  for (const LengthsEntry& entry : length_distributions()) {
    if (entry.name != "empirical") continue;
    Parameters parameters = with_file({{"file", {}, text("t.csv")}, {"column", {}, text("tokens")}}, content);
    const auto lengths = entry.construct(parameters);
    if (!parameters.errors().empty()) return;
    for (std::uint32_t ordinal = 0; ordinal < 8; ++ordinal) {
      const auto length = lengths->sample({}, Stream{}, 0, ordinal);
      expect(length >= 1 && length <= 1 << 23, "a length of 1 .. 2^23");
    }
  }
}

void read_recording(const std::string& content, const char* form) {
  Value::Map rounds{{"file", {}, text("t.csv")}, {"form", {}, text(form)}};
  Parameters parameters = with_file({{"rounds", {}, map(std::move(rounds))}}, content);
  std::vector<FitLine> fits;
  const auto model = read_recorded_acceptance(parameters, {}, fits);
  expect(content.empty() || (model != nullptr) == parameters.errors().empty(), "a model or an error");
}

}  // namespace
}  // namespace dspark

/// Every reader of a CSV file that an experiment can name, through the parameters that name it. The first
/// byte chooses one, the rest is the file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return -1;  // an empty file is refused before any of these reads it
  const std::string content(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'v':
      dspark::read_costs(content, false);
      break;
    case 'm':
      dspark::read_costs(content, true);
      break;
    case 'd':
      dspark::read_draft_costs(content);
      break;
    case 's':
      dspark::read_speeds(content);
      break;
    case 't':
      dspark::read_trace(content);
      break;
    case 'l':
      dspark::read_lengths(content);
      break;
    case 'r':
      dspark::read_recording(content, "rounds");
      break;
    case 'g':
      dspark::read_recording(content, "gate_conditional");
      break;
    case 'c':
      dspark::read_recording(content, "gate_cumulative");
      break;
    default:
      return -1;  // chooses nothing: not for the corpus
  }
  return 0;
}
