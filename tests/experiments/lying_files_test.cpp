#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "experiments/calibration/rounds_hdf5.h"
#include "experiments/results/hdf5_file.h"
#include "experiments/results/user_block.h"
#include "experiments/sweep/record.h"
#include "tests/experiments/program.h"
#include "tests/experiments/small_experiment.h"

#if defined(__has_feature)
#define DSPARK_HAS_FEATURE(what) __has_feature(what)
#else
#define DSPARK_HAS_FEATURE(what) 0
#endif

namespace dspark {
namespace {

using testing::HasSubstr;

// The address space of these sanitizers' shadow memory is larger than any limit.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    DSPARK_HAS_FEATURE(address_sanitizer) || DSPARK_HAS_FEATURE(thread_sanitizer)
const std::string kLimit;
#else
const std::string kLimit = "ulimit -v 524288; ";
#endif

constexpr std::uintmax_t kSparseBytes = std::uintmax_t{640} << 20;  // more than the limit
const std::string kExperiment = DSPARK_SOURCE_DIR "/tests/experiments/kill_resume.yaml";

/// The program with 512 MiB of address space; a shell in front sets the limit. A process that waits is
/// killed.
ProgramRun run_bounded(const ScratchFolder& folder, const std::string& arguments) {
  return run_program(folder.path(),
                     "--version >/dev/null; " + kLimit + "timeout 60 '" + program_path() + "' " + arguments);
}

void expect_one_error(const ProgramRun& run, int code, const std::string& message) {
  EXPECT_EQ(run.code, code) << run.output;
  EXPECT_EQ(run.output, "error: " + message + "\n");
}

/// `beginning`, and a hole up to kSparseBytes.
void write_sparse(const std::string& path, const std::string& beginning) {
  write_bytes(path, beginning);
  std::filesystem::resize_file(path, kSparseBytes);
}

std::string little_endian(std::uint64_t value) {
  std::string text;
  for (int i = 0; i < 8; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

/// A result file or one of rounds that says `to` wherever it said `from`, behind a digest that is right.
std::string lie(const std::string& bytes, const std::string& from, const std::string& to) {
  std::string image = bytes.substr(kUserBlockBytes);
  std::size_t found = 0;
  for (std::size_t at = 0; (at = image.find(from, at)) != std::string::npos; at += from.size()) {
    image.replace(at, from.size(), to);
    ++found;
  }
  EXPECT_GT(found, 0u);
  return with_user_block(image);
}

/// Datasets of `rows` values of `width` bytes claim `claimed` rows, in extent and stored size alike.
std::string claim_rows(const std::string& bytes, std::uint64_t rows, std::uint64_t width,
                       std::uint64_t claimed) {
  const std::string extent = lie(bytes, little_endian(rows), little_endian(claimed));
  return lie(extent, little_endian(rows * width), little_endian(claimed * width));
}

TEST(LyingFiles, ASparseResultIsRefusedByItsFirstBytes) {
  const ScratchFolder folder;
  write_sparse(folder / "hole.h5", "");
  expect_one_error(run_bounded(folder, "show hole.h5"), 2,
                   "'hole.h5' is not a dspark result file (dspark run EXPERIMENT.yaml makes one)");
  expect_one_error(run_bounded(folder, "run '" + kExperiment + "' --out hole.h5"), 2,
                   "'hole.h5' is not a dspark result file (--fresh overwrites it; another --out keeps it)");
}

TEST(LyingFiles, AResultThatGoesOnAsAHoleIsDamaged) {
  const ScratchFolder folder;
  write_sparse(folder / "long.h5", *encode_hdf5({}));
  expect_one_error(run_bounded(folder, "show long.h5"), 2,
                   "'long.h5' is damaged: its digest does not match its content (copy it again, or run the "
                   "experiment again with --fresh)");
  std::filesystem::resize_file(folder / "long.h5", std::uintmax_t{1} << 40);
  expect_one_error(run_bounded(folder, "show long.h5"), 2,
                   "cannot read 'long.h5': it has 1099511627776 bytes, more than 4294967296");
}

TEST(LyingFiles, APartialResultThatIsAHoleIsRefusedByItsFirstBytes) {
  const ScratchFolder folder;
  write_sparse(folder / "a.h5.partial", "");
  expect_one_error(run_bounded(folder, "run '" + kExperiment + "' --out a.h5 --jobs 1 --quiet"), 2,
                   "'a.h5.partial' is not a partial result, or is damaged (--fresh deletes it; another --out "
                   "keeps it)");
}

TEST(LyingFiles, APartialResultOfOtherWorkIsRefusedWhateverItsLengthsClaim) {
  const ScratchFolder folder;
  const std::string half_a_gibibyte(
      "\0\0\0\x20"
      "checksum",
      12);
  write_sparse(folder / "a.h5.partial", log_header({1, 2}) + half_a_gibibyte);
  expect_one_error(run_bounded(folder, "run '" + kExperiment + "' --out a.h5 --jobs 1 --quiet"), 2,
                   "'a.h5.partial' belongs to another experiment, other input files or another version "
                   "(--fresh deletes it; another --out keeps it)");
}

TEST(LyingFiles, AColumnThatClaimsMoreThanTheFileHoldsIsNotAllocated) {
  const ScratchFolder folder;
  constexpr std::size_t kRows = 1013;  // a number that stands nowhere else in the file
  const auto file_of = [&](decltype(Column::values) values) {
    ResultFile file;
    file.tables = {{"t", "a table", false, {{"c", "1", "a column", std::move(values)}}}};
    return *encode_hdf5(file);
  };
  const std::string message = "'lie.h5' is not as dspark writes it: column c is not stored whole";
  for (const std::uint64_t claimed : {std::uint64_t{1} << 28, std::uint64_t{1} << 40}) {
    write_bytes(folder / "lie.h5", claim_rows(file_of(Numbers(kRows, 1.0)), kRows, 8, claimed));
    expect_one_error(run_bounded(folder, "show lie.h5"), 2, message);
    write_bytes(folder / "lie.h5", claim_rows(file_of(Integers(kRows, 7)), kRows, 8, claimed));
    expect_one_error(run_bounded(folder, "show lie.h5"), 2, message);
    write_bytes(folder / "lie.h5", claim_rows(file_of(Texts(kRows, "abcde")), kRows, 5, claimed));
    expect_one_error(run_bounded(folder, "show lie.h5"), 2, message);
  }
}

TEST(LyingFiles, RoundsThatClaimMoreThanTheFileHoldsAreNotAllocated) {
  const ScratchFolder folder;
  constexpr std::int32_t kRows = 1013;
  Rounds rounds;
  rounds.block_size = 7;
  for (int i = 0; i < kRows; ++i) {
    rounds.request.push_back(0);
    rounds.round.push_back(i);
    rounds.anchor_position.push_back(-1);
    rounds.drafted.push_back(1);
    rounds.verified.push_back(1);
    rounds.accepted.push_back(1);
    rounds.domain.push_back(-1);
  }
  const std::string honest = *encode_rounds_hdf5(rounds);
  write_bytes(folder / "lie.h5", claim_rows(honest, kRows, 8, std::uint64_t{1} << 40));
  expect_one_error(run_bounded(folder, "calibrate lie.h5"), 2,
                   "'lie.h5' holds no table of rounds: 'request' has more than 20000000 rows");
  write_bytes(folder / "lie.h5", claim_rows(honest, kRows, 8, 20'000'000));
  expect_one_error(run_bounded(folder, "calibrate lie.h5"), 2,
                   "'lie.h5' holds no table of rounds: 'request' is not stored whole");
}

TEST(LyingFiles, WhatIsNoOrdinaryFileIsOneErrorInEveryPlace) {
  const ScratchFolder folder;
  std::filesystem::create_directory(folder / "directory");
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  std::filesystem::create_symlink("/dev/zero", folder / "zero");
  write_sparse(folder / "hole", "");
  const std::pair<std::string, std::string> kCases[] = {{"directory", "it is a directory"},
                                                        {"fifo", "it is not a regular file"},
                                                        {"zero", "it is not a regular file"},
                                                        {"hole", "it has 671088640 bytes, more than "}};
  for (const auto& [name, why] : kCases) {
    const std::string table = "--set 'machine.modelled.verify_cost.table=" + (folder / name) + "'";
    for (const std::string& arguments :
         {"check " + name, "calibrate " + name, "check '" + kExperiment + "' " + table}) {
      const ProgramRun run = run_bounded(folder, arguments);
      EXPECT_EQ(run.code, 2) << arguments << ": " << run.output;
      EXPECT_THAT(run.output, HasSubstr(name + "': " + why)) << arguments;
      EXPECT_EQ(run.output.find('\n'), run.output.size() - 1) << run.output;
    }
    if (name == "hole") continue;  // has its own test
    expect_one_error(run_bounded(folder, "show " + name), 2, "cannot read '" + name + "': " + why);
  }
  std::filesystem::rename(folder / "fifo", folder / "a.h5.partial");
  expect_one_error(run_bounded(folder, "run '" + kExperiment + "' --out a.h5 --jobs 1 --quiet"), 3,
                   "cannot read 'a.h5.partial': it is not a regular file");
}

}  // namespace
}  // namespace dspark
