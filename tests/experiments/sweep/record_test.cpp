#include "experiments/sweep/record.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace dspark {
namespace {

LogRecord sample(std::int64_t point) {
  LogRecord record;
  record.point = point;
  record.replication = 3;
  record.result.metrics = {{"throughput", 0.1 + 0.2}, {"survival.1", 1e-310}, {"big", 1.7e308}};
  record.result.series = {{0, 1, 2, 3, 4, 5, 6.5}};
  record.result.reliability = {{19, 5, 0.97, 0.96}};
  record.result.digest = {0xFFFFFFFFFFFFFFFFull, 1};
  record.result.events = 123456789012345;
  record.result.simulated_seconds = 1.0 / 3.0;
  return record;
}

TEST(Record, KeepsEveryBit) {
  const auto back = decode_record(encode_record(sample(7)));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->point, 7);
  EXPECT_EQ(back->result.metrics[0].value, 0.1 + 0.2);
  EXPECT_EQ(back->result.metrics[1].value, 1e-310);
  EXPECT_EQ(back->result.metrics[2].name, "big");
  EXPECT_EQ(back->result.series[0].batch_tokens, 6.5);
  EXPECT_EQ(back->result.reliability[0].bin, 19);
  EXPECT_EQ(back->result.digest[0], 0xFFFFFFFFFFFFFFFFull);
  EXPECT_EQ(back->result.events, 123456789012345);
  EXPECT_EQ(back->result.simulated_seconds, 1.0 / 3.0);
  EXPECT_EQ(encode_record(*back), encode_record(sample(7)));
}

TEST(Record, KeepsEveryBitOfARecording) {
  LogRecord record = sample(7);
  record.result.recording = StepRecording{.steps = {{0, 0.1 + 0.2, 1e-310}, {-0.0, 1e300, 3e-9}},
                                          .belief = AffineCost{1.0 / 3.0, 0, 5e-324},
                                          .baseline = BaselineStep{0.1 + 0.2, 1e-310}};
  const std::string bytes = encode_record(record);
  const auto back = decode_record(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->result.recording, record.result.recording);
  EXPECT_EQ(encode_record(*back), bytes);
  record.result.recording->belief.reset();
  record.result.recording->baseline.reset();
  EXPECT_EQ(decode_record(encode_record(record))->result.recording, record.result.recording);
  EXPECT_NE(encode_record(record), bytes);
  record.result.recording->steps.clear();
  EXPECT_EQ(decode_record(encode_record(record))->result.recording, record.result.recording);
  record.result.recording.reset();
  EXPECT_EQ(encode_record(record), encode_record(sample(7))) << "what is computed has none";
}

TEST(Record, HalfAStepIsNoRecord) {
  LogRecord record = sample(7);
  record.result.recording = StepRecording{.steps = {{1, 2, 3}}};
  std::string bytes = encode_record(record);
  const auto length = bytes.find("steps") + 5;
  ASSERT_EQ(bytes.substr(length, 2), "\x58\x18") << "24 bytes";
  bytes[length + 1] = 0x17;
  bytes.erase(length + 2, 1);
  EXPECT_FALSE(decode_record(bytes));
}

TEST(Record, OtherBytesAreNoRecord) {
  EXPECT_FALSE(decode_record(""));
  EXPECT_FALSE(decode_record("not cbor at all"));
  EXPECT_FALSE(decode_record(std::string("\xa1\x65point\x01", 8)));  // {"point": 1}
}

TEST(Log, ATornEndIsCutAtEveryLength) {
  const std::string header = log_header({1, 2});
  const std::string first = framed_record(sample(0));
  const std::string second = framed_record(sample(1));
  const std::string whole = header + first + second;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const ParsedLog log = parse_log(whole.substr(0, size));
    EXPECT_FALSE(log.foreign) << size;
    const std::size_t records = size == whole.size() ? 2 : size >= header.size() + first.size() ? 1 : 0;
    EXPECT_EQ(log.records.size(), records) << size;
    EXPECT_EQ(log.valid_bytes, size < header.size() ? 0
                                                    : header.size() + (records > 0 ? first.size() : 0) +
                                                          (records > 1 ? second.size() : 0));
  }
}

TEST(Log, NoFlippedBitGoesUnseen) {
  const std::string header = log_header({1, 2});
  const std::string whole = header + framed_record(sample(0)) + framed_record(sample(1));
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const ParsedLog log = parse_log(damaged);
    EXPECT_TRUE(log.foreign || log.records.size() < 2) << "bit " << bit;
  }
}

TEST(Log, AForeignFileIsTold) {
  EXPECT_TRUE(parse_log("something else, much longer than a header would be, really").foreign);
  EXPECT_TRUE(parse_log("short").foreign);
  EXPECT_FALSE(parse_log("").foreign);
}

}  // namespace
}  // namespace dspark
