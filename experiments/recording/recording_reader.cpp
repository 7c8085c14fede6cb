#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "experiments/calibration/rounds_hdf5.h"
#include "experiments/recording/recording_file.h"
#include "experiments/results/hdf5_file.h"

namespace dspark {
namespace {

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

/// What is wrong with the file, for the message.
struct Unexpected {
  std::string what;
};

/// The columns of one table; throws Unexpected where one is missing or of another type or length.
class Columns {
 public:
  Columns(const ResultFile& file, const char* table) : table_(file.table(table)), name_(table) {
    if (table_.columns.empty()) throw Unexpected{fmt::format("no table /{}", table)};
  }
  std::size_t rows() const { return table_.rows(); }
  bool has(const char* column) const { return table_.find(column) != nullptr; }

  const Numbers& numbers(const char* name) const { return of<Numbers>(name, 0); }
  const Texts& texts(const char* name) const { return of<Texts>(name, 0); }
  /// least .. most.
  template <class T>
  std::vector<T> integers(const char* name, std::int64_t least,
                          std::int64_t most = std::numeric_limits<T>::max()) const {
    std::vector<T> values;
    for (const std::int64_t value : of<Integers>(name, 0)) {
      if (value < least || value > most) {
        throw Unexpected{
            fmt::format("/{}, row {}: {} = {} is out of range", name_, values.size(), name, value)};
      }
      values.push_back(static_cast<T>(value));
    }
    return values;
  }
  std::vector<float> matrix(const char* name, int positions) const {
    if (!has(name)) return {};
    const Numbers& values = of<Numbers>(name, static_cast<std::size_t>(positions));
    return {values.begin(), values.end()};
  }

 private:
  template <class T>
  const T& of(const char* name, std::size_t positions) const {
    const Column* column = table_.find(name);
    if (column == nullptr) throw Unexpected{fmt::format("/{} has no column '{}'", name_, name)};
    const T* values = std::get_if<T>(&column->values);
    if (values == nullptr || column->positions != positions)
      throw Unexpected{fmt::format("/{}, column '{}' is of another kind or shape", name_, name)};
    return *values;
  }

  const Table& table_;
  const char* name_;
};

/// Texts as numbers in order of first appearance; empty is -1.
std::vector<std::int32_t> named(const Texts& texts, std::vector<std::string>& names) {
  std::vector<std::int32_t> numbers;
  for (const std::string& text : texts) {
    const auto known = std::find(names.begin(), names.end(), text);
    if (!text.empty() && known == names.end()) {
      if (names.size() > 10'000) throw Unexpected{"more than 10000 domains"};
      names.push_back(text);
      numbers.push_back(static_cast<std::int32_t>(names.size()) - 1);
    } else {
      numbers.push_back(text.empty() ? -1 : static_cast<std::int32_t>(known - names.begin()));
    }
  }
  return numbers;
}

void read_rounds(const ResultFile& file, RunRecording& recording) {
  const Columns columns(file, "rounds");
  Rounds& rounds = recording.rounds;
  rounds.block_size = std::max(1, recording.block_size);
  constexpr std::int64_t kLargest = std::int64_t{1} << 53;
  recording.step = columns.integers<std::int64_t>("step", 0, kLargest);
  rounds.request = columns.integers<std::int64_t>("request", 0, kLargest);
  rounds.round = columns.integers<std::int64_t>("round", 0, kLargest);
  rounds.anchor_position = columns.integers<std::int64_t>("anchor_position", -1, kLargest);
  rounds.domain = named(columns.texts("domain"), rounds.domain_names);
  recording.planned = columns.integers<std::int32_t>("planned", 0);
  rounds.drafted = columns.integers<std::int32_t>("drafted", 0);
  rounds.verified = columns.integers<std::int32_t>("verified", 0);
  rounds.accepted = columns.integers<std::int32_t>("accepted", 0);
  for (const RoundSignal& signal : round_signals())
    rounds.*signal.column = columns.matrix(signal.name, rounds.block_size);
  recording.divergence = columns.matrix("divergence", rounds.block_size);
}

void read_steps(const ResultFile& file, RunRecording& recording) {
  const Columns columns(file, "steps");
  const Numbers &draft = columns.numbers("draft_seconds"), &verify = columns.numbers("verify_seconds"),
                &overhead = columns.numbers("overhead_seconds");
  const auto count = [&](const char* name) { return columns.integers<std::int32_t>(name, 0); };
  const auto decode = count("decode_requests"), verified = count("verified_tokens"),
             prefill = count("prefill_rows"), drafting = count("drafting_requests"),
             deep = count("draft_steps");
  const auto chosen = columns.integers<std::int32_t>("chosen_after_drafting", 0, 1);
  for (std::size_t i = 0; i < columns.rows(); ++i) {
    recording.steps.push_back({{draft[i], verify[i], overhead[i]},
                               decode[i],
                               verified[i],
                               prefill[i],
                               drafting[i],
                               deep[i],
                               chosen[i] == 1});
  }
}

void read_requests(const ResultFile& file, RunRecording& recording) {
  const Columns columns(file, "requests");
  constexpr std::int64_t kLargest = std::numeric_limits<std::uint32_t>::max();
  const auto source = columns.integers<std::uint32_t>("source", 0, kLargest),
             ordinal = columns.integers<std::uint32_t>("ordinal", 0, kLargest);
  const auto prompt = columns.integers<std::int32_t>("prompt_tokens", 1),
             output = columns.integers<std::int32_t>("output_tokens", -1),
             most = columns.integers<std::int32_t>("output_limit", -1),
             end = columns.integers<std::int32_t>("output_end", -1);
  const auto domain = named(columns.texts("domain"), recording.domain_names);
  const Numbers &arrival = columns.numbers("arrival_seconds"), &temperature = columns.numbers("temperature");
  const auto limit = [](std::int32_t tokens) { return tokens < 0 ? kUnlimited : tokens; };
  for (std::size_t i = 0; i < columns.rows(); ++i) {
    if (!(arrival[i] >= 0 && arrival[i] < to_seconds(kHorizon)) ||
        !(temperature[i] >= 0 && temperature[i] < 1e6))
      throw Unexpected{fmt::format("/requests, row {}: arrival or temperature is out of range", i)};
    recording.requests.push_back({{.arrival = to_virtual_time(arrival[i]),
                                   .source = source[i],
                                   .ordinal = ordinal[i],
                                   .prompt_tokens = prompt[i],
                                   .output_limit = limit(most[i]),
                                   .output_end = limit(end[i]),
                                   .domain = std::max(0, domain[i]),
                                   .temperature = static_cast<float>(temperature[i])},
                                  output[i]});
  }
}

std::optional<AffineCost> read_belief(const ResultFile& file) {
  const Columns columns(file, "belief");
  if (columns.rows() != 1) throw Unexpected{"/belief has not one row"};
  const AffineCost cost{columns.numbers("bias_seconds")[0], columns.numbers("seconds_per_request")[0],
                        columns.numbers("seconds_per_token")[0]};
  const bool none = std::isnan(cost.bias_seconds) && std::isnan(cost.seconds_per_request) &&
                    std::isnan(cost.seconds_per_token);
  return none ? std::nullopt : std::optional(cost);
}

std::array<std::uint64_t, 2> read_digest(const std::string& text) {
  std::array<std::uint64_t, 2> digest{};
  for (std::size_t half = 0; half < 2; ++half) {
    if (text.size() != 32) throw Unexpected{"attribute trace_digest"};
    const char* begin = text.data() + 16 * half;
    const auto [end, failure] = std::from_chars(begin, begin + 16, digest[half], 16);
    if (failure != std::errc() || end != begin + 16) throw Unexpected{"attribute trace_digest"};
  }
  return digest;
}

std::int64_t read_attribute(const ResultFile& file, const char* name, std::int64_t most) {
  const std::int64_t value = file.integer(name);
  if (value < 0 || value > most) throw Unexpected{fmt::format("attribute {}", name)};
  return value;
}

RecordedExperiment read(const ResultFile& file, const std::string& path) {
  RecordedExperiment recorded;
  recorded.experiment = {path, file.text("experiment"), split_lines(file.text("set_options")), {}};
  for (const auto& [name, value] : file.attributes) {
    if (!name.starts_with(kRecordedInput)) continue;
    if (const auto* content = std::get_if<std::string>(&value))
      recorded.experiment.inputs.emplace(name.substr(kRecordedInput.size()), *content);
  }
  recorded.replication = static_cast<std::uint32_t>(read_attribute(file, "replication", 9'999));
  recorded.digest = read_digest(file.text("trace_digest"));
  RunRecording& recording = recorded.recording;
  recording.block_size = static_cast<int>(read_attribute(file, "block_size", kMaxRecordedBlockSize));
  recording.has_confidence_head = read_attribute(file, "has_confidence_head", 1) == 1;
  read_rounds(file, recording);
  read_steps(file, recording);
  read_requests(file, recording);
  recording.belief = read_belief(file);
  recorded.has_dense_rounds = file.table(kDenseRounds).rows() > 0;
  return recorded;
}

}  // namespace

Result<RecordedExperiment> read_recording(const std::string& path) {
  const auto file = read_result_file(path);
  if (!file) return file.error();
  if (!is_recording(*file)) {
    return Error{fmt::format("'{}' is not a recording", path), {}, "'dspark record' makes one"};
  }
  if (file->integer("recording_version") != kRecordingVersion) {
    return Error{fmt::format("'{}' is a recording of version {}; this program reads {}", path,
                             file->integer("recording_version"), kRecordingVersion)};
  }
  try {
    RecordedExperiment recorded = read(*file, path);
    if (const auto spoilt = find_spoilt(recorded.recording)) {
      return Error{
          fmt::format("'{}' holds what no run gives: {}", path, spoilt->message), {}, spoilt->advice};
    }
    return recorded;
  } catch (const Unexpected& unexpected) {
    return Error{fmt::format("'{}' is not as dspark writes it: {}", path, unexpected.what)};
  }
}

}  // namespace dspark
