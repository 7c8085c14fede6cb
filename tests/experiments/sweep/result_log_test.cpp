#include "experiments/sweep/result_log.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>

#include "tests/experiments/small_experiment.h"

namespace dspark {
namespace {

using testing::HasSubstr;

LogRecord numbered(std::int64_t point) {
  LogRecord record;
  record.point = point;
  return record;
}

TEST(ResultLog, GivesBackWhatWasAppended) {
  const ScratchFolder folder;
  {
    ResultLog log;
    ASSERT_FALSE(log.open(folder / "a.partial", {1, 2}, false));
    ASSERT_FALSE(log.append(numbered(5)));
    ASSERT_FALSE(log.append(numbered(6)));
  }
  ResultLog again;
  ASSERT_FALSE(again.open(folder / "a.partial", {1, 2}, false));
  const auto records = again.take_finished();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].point, 6);
}

TEST(ResultLog, GivesBackARecordOfManyPieces) {
  const ScratchFolder folder;
  LogRecord large = numbered(7);
  large.result.series.resize(100'000, {0, 1, 2, 3, 4, 5, 0.1});
  {
    ResultLog log;
    ASSERT_FALSE(log.open(folder / "a.partial", {1, 2}, false));
    ASSERT_FALSE(log.append(large));
    ASSERT_FALSE(log.append(numbered(8)));
  }
  EXPECT_GT(std::filesystem::file_size(folder / "a.partial"), std::size_t{2} << 20) << "several pieces";
  ResultLog again;
  ASSERT_FALSE(again.open(folder / "a.partial", {1, 2}, false));
  EXPECT_EQ(again.discarded_bytes(), 0u);
  const auto records = again.take_finished();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].result.series.size(), 100'000u);
  EXPECT_EQ(records[0].result.series.back().batch_tokens, 0.1);
}

TEST(ResultLog, AppendsAfterATornEnd) {
  const ScratchFolder folder;
  const std::string path = folder / "a.partial";
  write_bytes(path,
              log_header({1, 2}) + framed_record(numbered(1)) + framed_record(numbered(2)).substr(0, 20));
  {
    ResultLog log;
    ASSERT_FALSE(log.open(path, {1, 2}, false));
    EXPECT_EQ(log.discarded_bytes(), 20u);
    ASSERT_FALSE(log.append(numbered(3)));
  }
  EXPECT_EQ(read_bytes(path), log_header({1, 2}) + framed_record(numbered(1)) + framed_record(numbered(3)));
}

TEST(ResultLog, AnotherExperimentsLogIsKeptUnlessFresh) {
  const ScratchFolder folder;
  const std::string path = folder / "a.partial";
  const std::string other = log_header({8, 8}) + framed_record(numbered(1));
  write_bytes(path, other);
  {
    ResultLog log;
    const auto refused = log.open(path, {1, 2}, false);
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->refusal, ResultLog::Refusal::kInvalidInput);
    EXPECT_THAT(to_string(refused->error), HasSubstr("belongs to another experiment"));
    EXPECT_THAT(to_string(refused->error), HasSubstr("--fresh"));
  }
  EXPECT_EQ(read_bytes(path), other);
  ResultLog log;
  ASSERT_FALSE(log.open(path, {1, 2}, true));
  EXPECT_EQ(read_bytes(path), log_header({1, 2}));
}

TEST(ResultLog, SomebodyElsesFileIsKept) {
  const ScratchFolder folder;
  write_bytes(folder / "a.partial", "my diary");
  ResultLog log;
  const auto refused = log.open(folder / "a.partial", {1, 2}, false);
  ASSERT_TRUE(refused);
  EXPECT_THAT(to_string(refused->error), HasSubstr("is not a partial result, or is damaged"));
  EXPECT_EQ(read_bytes(folder / "a.partial"), "my diary");
}

TEST(ResultLog, TwoRunsCannotShareIt) {
  const ScratchFolder folder;
  ResultLog first;
  ASSERT_FALSE(first.open(folder / "a.partial", {1, 2}, false));
  ResultLog second;
  const auto refused = second.open(folder / "a.partial", {1, 2}, false);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->refusal, ResultLog::Refusal::kMachine);
  EXPECT_THAT(to_string(refused->error), HasSubstr("another run is writing"));
}

TEST(ResultLog, AMissingFolderIsOneError) {
  ResultLog log;
  EXPECT_TRUE(log.open("/nowhere/at/all.partial", {1, 2}, false));
}

TEST(ResultLog, AFullDiskIsOneError) {
  ResultLog log;
  const auto refused = log.open("/dev/full", {1, 2}, true);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->refusal, ResultLog::Refusal::kMachine);
}

TEST(ResultLog, ARecordThatDidNotFitHidesNoneThatDid) {
  const ScratchFolder folder;
  const std::string path = folder / "a.partial";
  ::signal(SIGXFSZ, SIG_IGN);
  struct rlimit before {};
  ::getrlimit(RLIMIT_FSIZE, &before);
  {
    ResultLog log;
    ASSERT_FALSE(log.open(path, {1, 2}, false));
    const struct rlimit small { 4096, before.rlim_max };
    ::setrlimit(RLIMIT_FSIZE, &small);
    LogRecord large = numbered(1);
    large.result.metrics.assign(1000, {"throughput", 1.5});
    const auto first = log.append(large);
    const auto second = log.append(numbered(2));
    ::setrlimit(RLIMIT_FSIZE, &before);
    ASSERT_TRUE(first);
    EXPECT_THAT(to_string(*first), HasSubstr("File too large"));
    EXPECT_FALSE(second);
  }
  ResultLog again;
  ASSERT_FALSE(again.open(path, {1, 2}, false));
  EXPECT_EQ(again.discarded_bytes(), 0u);
  const auto finished = again.take_finished();
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(finished[0].point, 2);
}

}  // namespace
}  // namespace dspark
