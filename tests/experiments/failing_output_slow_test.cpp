#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "experiments/sweep/record.h"
#include "tests/experiments/program.h"
#include "tests/experiments/small_experiment.h"

namespace dspark {
namespace {

const std::string kExperiment = DSPARK_SOURCE_DIR "/tests/experiments/kill_resume.yaml";

/// `dspark run` under a limit on the size of every file, in KiB; beyond it a write fails as on a full disk
/// (EFBIG), also for root.
ProgramRun run_limited(const std::string& out, int kibibytes) {
  const std::string program = "'" + program_path() + "'";
  const std::string run = " run '" + kExperiment + "' --out '" + out + "' --jobs 2 --quiet";
  // A shell in front, which ignores the signal and sets the limit; what it starts inherits both.
  return run_program("/", "--version >/dev/null; bash -c \"trap '' XFSZ; ulimit -f " +
                              std::to_string(kibibytes) + "; " + program + run + "\"");
}
ProgramRun run_free(const std::string& out) {
  return run_program("/", "run '" + kExperiment + "' --out '" + out + "' --jobs 2 --quiet");
}

std::string bytes_of_a_whole_run(const ScratchFolder& folder) {
  const ProgramRun run = run_free(folder / "whole.h5");
  EXPECT_EQ(run.code, 0) << run.output;
  return read_bytes(folder / "whole.h5");
}

/// One line that names the file and says why, and exit code 3.
void expect_one_error(const ProgramRun& run, const std::string& path, const std::string& why) {
  EXPECT_EQ(run.code, 3) << run.output;
  EXPECT_EQ(run.output, "error: cannot write '" + path + "': " + why + "\n");
}

std::size_t finished(const std::string& out) {
  return parse_log(read_bytes(out + ".partial")).records.size();
}

TEST(FailingOutput, AFullDiskInTheMiddleIsOneErrorKeepsTheFinishedRunsAndResumes) {
  const ScratchFolder folder;
  const std::string expected = bytes_of_a_whole_run(folder);
  const std::string out = folder / "full.h5";
  std::size_t before = 0;
  for (const int kibibytes : {16, 40, 64}) {
    expect_one_error(run_limited(out, kibibytes), out + ".partial", "File too large");
    EXPECT_FALSE(std::filesystem::exists(out));
    EXPECT_GT(finished(out), before) << "more space gets further, from what was kept";
    before = finished(out);
  }
  const ProgramRun run = run_free(out);
  EXPECT_EQ(run.code, 0) << run.output;
  EXPECT_EQ(read_bytes(out), expected);
  EXPECT_FALSE(std::filesystem::exists(out + ".partial"));
}

TEST(FailingOutput, ADeviceWithoutSpaceInPlaceOfTheLogIsOneError) {
  const ScratchFolder folder;
  const std::string out = folder / "device.h5";
  std::filesystem::create_symlink("/dev/full", out + ".partial");
  const ProgramRun run = run_free(out);
  EXPECT_EQ(run.code, 3) << run.output;
  EXPECT_EQ(run.output.find('\n'), run.output.size() - 1) << run.output;
  EXPECT_NE(run.output.find(out + ".partial"), std::string::npos) << run.output;
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST(FailingOutput, AResultOrSidecarThatCannotBeWrittenKeepsEveryRunAndResumes) {
  const ScratchFolder folder;
  const std::string expected = bytes_of_a_whole_run(folder);
  // A folder of the temporary's name, which even root cannot open for writing.
  for (const std::string name : {"blocked.h5", "blocked.provenance.json"}) {
    const std::string out = folder / "blocked.h5";
    const std::string in_the_way = folder / (name + ".tmp");
    std::filesystem::create_directory(in_the_way);
    expect_one_error(run_free(out), folder / name, "Is a directory");
    EXPECT_EQ(finished(out), 120u) << "3 policies × 2 loads × 20 replications";
    std::filesystem::remove(in_the_way);
    const ProgramRun run = run_free(out);
    EXPECT_EQ(run.code, 0) << run.output;
    EXPECT_EQ(read_bytes(out), expected);
    EXPECT_TRUE(std::filesystem::exists(folder / "blocked.provenance.json"));
    EXPECT_FALSE(std::filesystem::exists(out + ".partial"));
    std::filesystem::remove(out);
    std::filesystem::remove(folder / "blocked.provenance.json");
  }
}

/// A file system of its own, which can be full and read-only.
class SmallDisk {
 public:
  explicit SmallDisk(std::string path) : path_(std::move(path)) {
    std::filesystem::create_directory(path_);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=64k") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }
  bool remount(unsigned long flags, const char* size) {
    return ::mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT | flags, size) == 0;
  }

 private:
  std::string path_;
  bool mounted_ = false;
};

TEST(FailingOutput, ADiskThatFillsUpThenTurnsReadOnlyLosesNothingFinished) {
  const ScratchFolder folder;
  SmallDisk disk(folder / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "mounting a file system is not permitted here";
  const std::string expected = bytes_of_a_whole_run(folder);
  const std::string out = folder / "disk/full.h5";
  expect_one_error(run_free(out), out + ".partial", "No space left on device");
  const std::size_t kept = finished(out);
  EXPECT_GT(kept, 0u);
  ASSERT_TRUE(disk.remount(MS_RDONLY, "size=64k"));
  expect_one_error(run_free(out), out + ".partial", "Read-only file system");
  EXPECT_EQ(finished(out), kept);
  ASSERT_TRUE(disk.remount(0, "size=16m"));
  const ProgramRun run = run_free(out);
  EXPECT_EQ(run.code, 0) << run.output;
  EXPECT_EQ(read_bytes(out), expected);
}

}  // namespace
}  // namespace dspark
