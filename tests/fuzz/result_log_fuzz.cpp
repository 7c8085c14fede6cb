#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "experiments/sweep/record.h"
#include "tests/fuzz/expect.h"

namespace dspark {
namespace {

std::vector<std::string> written_records() {
  std::vector<std::string> records;
  for (int i = 0; i < 3; ++i) {
    LogRecord record{i, 10 + i, {}};
    record.result.metrics = {{"throughput", 1.5 * i}};
    record.result.series = {{0, 1, 2, 3, 4, 5, 6}};
    record.result.digest = {1u + i, 2};
    if (i == 1)
      record.result.recording = StepRecording{.steps = {{0, 0.5, 0.25}}, .belief = AffineCost{1, 0, 2}};
    records.push_back(framed_record(record));
  }
  return records;
}

/// Each three bytes of `edits` flip a bit somewhere; the last two say where the log ends.
void expect_a_prefix(std::string_view edits) {
  static const std::vector<std::string> records = written_records();
  std::string log = log_header({1, 2});
  for (const std::string& record : records) log += record;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(edits[i]); };
  std::size_t i = 0;
  for (; i + 5 <= edits.size(); i += 3) {
    char& at = log[(byte(i) * 256u + byte(i + 1)) % log.size()];
    at = static_cast<char>(at ^ (1 << (byte(i + 2) % 8)));
  }
  if (i + 2 <= edits.size()) log.resize((byte(i) * 256u + byte(i + 1)) % (log.size() + 1));
  const ParsedLog parsed = parse_log(log);
  expect(parsed.valid_bytes <= log.size(), "what is valid lies within the log");
  expect(parsed.records.size() <= records.size(), "no record comes from nowhere");
  for (std::size_t k = 0; k < parsed.records.size(); ++k)
    expect(framed_record(parsed.records[k]) == records[k], "the records read are a prefix of those written");
}

}  // namespace
}  // namespace dspark

/// Any bytes are a log or not, and a record or not; what is accepted as a record is written again as the same
/// one; damage to a log leaves a prefix of its records.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using dspark::expect;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  expect(dspark::parse_log(bytes).valid_bytes <= size, "what is valid lies within the log");
  const auto record = dspark::decode_record(bytes);
  std::string log = dspark::log_header({1, 2});
  if (record) {
    const auto again = dspark::decode_record(dspark::encode_record(*record));
    expect(again && dspark::encode_record(*again) == dspark::encode_record(*record), "the same record again");
    log += dspark::framed_record(*record);  // behind a valid frame the payload is reached
  }
  expect(dspark::parse_log(log).records.size() == (record ? 1u : 0u), "a framed record is read");
  dspark::expect_a_prefix(bytes);
  return 0;
}
