#include "experiments/sweep/record.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

namespace dspark {
namespace {

using nlohmann::json;

constexpr std::string_view kMagic = "DSPARK-PARTIAL 1\n";
constexpr std::size_t kHeaderBytes = kMagic.size() + 2 * sizeof(std::uint64_t) + sizeof(std::uint64_t);
constexpr std::size_t kFrameBytes = sizeof(std::uint32_t) + sizeof(std::uint64_t);
constexpr std::size_t kMaxRecordBytes = std::size_t{1} << 30;
constexpr std::size_t kStepBytes = 3 * sizeof(double);

template <class T>
void put(std::string& bytes, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xFF);
}
template <class T>
T get(std::string_view bytes, std::size_t at) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    value |= static_cast<T>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  return value;
}

std::string little_endian(double value) {
  std::string bytes;
  put(bytes, std::bit_cast<std::uint64_t>(value));
  return bytes;
}

json series_json(const std::vector<SeriesWindow>& series) {
  json rows = json::array();
  for (const SeriesWindow& w : series) {
    rows.push_back({w.start_seconds, w.width_seconds, w.throughput, w.running_requests, w.waiting_requests,
                    w.verification_length, w.batch_tokens});
  }
  return rows;
}

json reliability_json(const std::vector<ReliabilityBin>& bins) {
  json rows = json::array();
  for (const ReliabilityBin& b : bins) rows.push_back({b.bin, b.count, b.mean_confidence, b.accepted_share});
  return rows;
}

/// Steps as bytes, so that a long run's take no more room in memory than on the disk.
json recording_json(const StepRecording& recording) {
  std::vector<std::uint8_t> bytes;
  for (const StepSeconds& step : recording.steps) {
    for (const double part : {step.draft, step.verify, step.overhead}) {
      const std::string written = little_endian(part);
      bytes.insert(bytes.end(), written.begin(), written.end());
    }
  }
  json root = {{"steps", json::binary(std::move(bytes))}};
  if (recording.belief) {
    const AffineCost& belief = *recording.belief;
    root["belief"] = {belief.bias_seconds, belief.seconds_per_request, belief.seconds_per_token};
  }
  if (recording.baseline) root["baseline"] = {recording.baseline->before, recording.baseline->after};
  return root;
}

StepRecording recording_of(const json& root) {
  StepRecording recording;
  const json::binary_t& bytes = root.at("steps").get_binary();
  if (bytes.size() % kStepBytes != 0) throw json::other_error::create(502, "half a step", &root);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto number = [&](std::size_t at) { return std::bit_cast<double>(get<std::uint64_t>(text, at)); };
  for (std::size_t at = 0; at < text.size(); at += kStepBytes) {
    recording.steps.push_back({number(at), number(at + 8), number(at + 16)});
  }
  if (const auto belief = root.find("belief"); belief != root.end()) {
    recording.belief =
        AffineCost{belief->at(0).get<double>(), belief->at(1).get<double>(), belief->at(2).get<double>()};
  }
  if (const auto baseline = root.find("baseline"); baseline != root.end()) {
    recording.baseline = BaselineStep{baseline->at(0).get<double>(), baseline->at(1).get<double>()};
  }
  return recording;
}

/// get<> would also convert a number with a fraction, or one out of range.
template <class T>
T integer_of(const json& value) {
  const bool fits = value.is_number_unsigned()
                        ? std::in_range<T>(value.get_ref<const json::number_unsigned_t&>())
                        : value.is_number_integer() && std::in_range<T>(value.get<std::int64_t>());
  if (!fits) throw json::type_error::create(302, "not an integer of this type", &value);
  return value.get<T>();
}

LogRecord from_json(const json& root) {
  LogRecord record;
  record.point = integer_of<std::int64_t>(root.at("point"));
  record.replication = integer_of<std::int64_t>(root.at("replication"));
  ReplicationResult& result = record.result;
  for (const json& row : root.at("metrics")) {
    result.metrics.push_back({row.at(0).get<std::string>(), row.at(1).get<double>()});
  }
  for (const json& row : root.at("series")) {
    const auto at = [&](std::size_t i) { return row.at(i).get<double>(); };
    result.series.push_back({at(0), at(1), at(2), at(3), at(4), at(5), at(6)});
  }
  for (const json& row : root.at("reliability")) {
    result.reliability.push_back({integer_of<int>(row.at(0)), row.at(1).get<double>(),
                                  row.at(2).get<double>(), row.at(3).get<double>()});
  }
  result.digest = {integer_of<std::uint64_t>(root.at("digest").at(0)),
                   integer_of<std::uint64_t>(root.at("digest").at(1))};
  result.events = integer_of<std::int64_t>(root.at("events"));
  result.simulated_seconds = root.at("simulated_seconds").get<double>();
  if (const auto recording = root.find("recording"); recording != root.end()) {
    result.recording = recording_of(*recording);
  }
  return record;
}

/// The CBOR of the frame at `at`; nullopt where it is torn or damaged. Its length is believed once the
/// checksum of what is there has been met.
Result<std::optional<std::string>> whole_payload(const ReadPiece& read, std::size_t at, std::size_t size) {
  const std::optional<std::string> torn;
  const auto frame = read(at, kFrameBytes);
  if (!frame) return frame.error();
  if (frame->size() < kFrameBytes) return torn;
  at += kFrameBytes;
  const std::size_t length = get<std::uint32_t>(*frame, 0);
  if (length > kMaxRecordBytes || at > size || length > size - at) return torn;
  const auto digest = digest_in_pieces(read, at, length);
  if (!digest) return digest.error();
  if (get<std::uint64_t>(*frame, sizeof(std::uint32_t)) != digest->low) return torn;
  auto payload = read(at, length);
  if (!payload) return payload.error();
  if (payload->size() != length) return torn;
  return std::optional(*std::move(payload));
}

}  // namespace

std::string encode_record(const LogRecord& record) {
  const ReplicationResult& result = record.result;
  json metrics = json::array();
  for (const MetricValue& metric : result.metrics) metrics.push_back({metric.name, metric.value});
  json root = {{"point", record.point},
               {"replication", record.replication},
               {"metrics", std::move(metrics)},
               {"series", series_json(result.series)},
               {"reliability", reliability_json(result.reliability)},
               {"digest", {result.digest[0], result.digest[1]}},
               {"events", result.events},
               {"simulated_seconds", result.simulated_seconds}};
  if (result.recording) root["recording"] = recording_json(*result.recording);
  std::string bytes;
  json::to_cbor(root, bytes);
  return bytes;
}

std::optional<LogRecord> decode_record(std::string_view bytes) {
  try {
    return from_json(json::from_cbor(bytes.begin(), bytes.end()));
  } catch (const json::exception&) {  // not CBOR, or a key is missing or of another type
    return std::nullopt;
  }
}

std::string log_header(const Digest& work) {
  std::string bytes(kMagic);
  put(bytes, work.high);
  put(bytes, work.low);
  put(bytes, digest_of(bytes).low);
  return bytes;
}

std::string framed_record(const LogRecord& record) {
  const std::string payload = encode_record(record);
  std::string bytes;
  put(bytes, static_cast<std::uint32_t>(payload.size()));
  put(bytes, digest_of(payload).low);
  return bytes + payload;
}

Result<ParsedLog> parse_log(const ReadPiece& read, std::size_t size) {
  ParsedLog log;
  const auto header = read(0, kHeaderBytes);
  if (!header) return header.error();
  if (header->size() < kHeaderBytes) {
    // Killed while the header was written: nothing was finished yet.
    log.foreign = header->substr(0, kMagic.size()) != kMagic.substr(0, header->size());
    return log;
  }
  const std::size_t sum_at = kHeaderBytes - sizeof(std::uint64_t);
  log.foreign = !header->starts_with(kMagic) ||
                get<std::uint64_t>(*header, sum_at) != digest_of(header->substr(0, sum_at)).low;
  if (log.foreign) return log;
  log.has_header = true;
  log.work = {get<std::uint64_t>(*header, kMagic.size()), get<std::uint64_t>(*header, kMagic.size() + 8)};
  log.valid_bytes = kHeaderBytes;
  for (;;) {
    auto payload = whole_payload(read, log.valid_bytes, size);
    if (!payload) return payload.error();
    if (!*payload) return log;
    auto record = decode_record(**payload);
    if (!record) return log;
    log.records.push_back(std::move(*record));
    log.valid_bytes += kFrameBytes + (*payload)->size();
  }
}

ParsedLog parse_log(std::string_view bytes) {
  const auto read = [&](std::size_t at, std::size_t most) {
    return Result<std::string>(std::string(bytes.substr(std::min(at, bytes.size()), most)));
  };
  return *parse_log(read, bytes.size());  // memory cannot fail to be read
}

}  // namespace dspark
