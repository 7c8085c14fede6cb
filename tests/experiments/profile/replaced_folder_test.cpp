#include "experiments/profile/replaced_folder.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "tests/experiments/small_experiment.h"

namespace dspark {
namespace {

using Files = std::map<std::string, std::string>;
namespace fs = std::filesystem;

Files read_folder(const std::string& path) {
  Files files;
  for (const auto& entry : fs::directory_iterator(path))
    files[entry.path().filename().string()] = read_bytes(entry.path().string());
  return files;
}

bool is_ours(const std::string& name) { return name == "a" || name == "b"; }

TEST(ReplacedFolder, IsWrittenWithTheFoldersAboveIt) {
  const ScratchFolder scratch;
  const Files files = {{"a", "1"}, {"b", std::string(100000, 'x')}};
  ASSERT_FALSE(write_folder_atomically(scratch / "deep/er/profile", files));
  EXPECT_EQ(read_folder(scratch / "deep/er/profile"), files);
  EXPECT_FALSE(fs::exists(scratch / "deep/er/profile.partial"));
}

TEST(ReplacedFolder, TheOldOneIsGoneWhenTheNewOneIsThere) {
  const ScratchFolder scratch;
  ASSERT_FALSE(write_folder_atomically(scratch / "p", {{"a", "old"}, {"b", "old"}}));
  ASSERT_FALSE(write_folder_atomically(scratch / "p", {{"a", "new"}}));
  EXPECT_EQ(read_folder(scratch / "p"), (Files{{"a", "new"}}));
  EXPECT_FALSE(fs::exists(scratch / "p.partial"));
}

TEST(ReplacedFolder, OnlyFoldersOfOursAreReplacedAndOnlyIfAskedTo) {
  const ScratchFolder scratch;
  EXPECT_FALSE(cannot_replace_folder(scratch / "p", false, is_ours)) << "it is not there";
  ASSERT_FALSE(write_folder_atomically(scratch / "p", {{"a", "1"}}));
  EXPECT_TRUE(cannot_replace_folder(scratch / "p", false, is_ours));
  EXPECT_FALSE(cannot_replace_folder(scratch / "p", true, is_ours));
  write_bytes(scratch / "p/thesis.tex", "x");
  const auto refused = cannot_replace_folder(scratch / "p", true, is_ours);
  ASSERT_TRUE(refused);
  EXPECT_NE(refused->message.find("thesis.tex"), std::string::npos);
  write_bytes(scratch / "file", "x");
  EXPECT_TRUE(cannot_replace_folder(scratch / "file", true, is_ours));
  fs::create_directory_symlink(scratch / "p", scratch / "link");
  EXPECT_TRUE(cannot_replace_folder(scratch / "link", true, is_ours));
}

/// A folder whose files all say the same number, of which there are too many to be written at once.
Files numbered(int n) {
  Files files;
  for (int i = 0; i < 20; ++i) files[std::to_string(i)] = std::to_string(n);
  return files;
}

TEST(ReplacedFolder, AKillLeavesTheOldOrTheWholeNewFolder) {
  const ScratchFolder scratch;
  const std::string path = scratch / "p";
  ASSERT_FALSE(write_folder_atomically(path, numbered(0)));
  int partial = 0;
  for (int round = 0; round < 60; ++round) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (int n = 1;; ++n) write_folder_atomically(path, numbered(n));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(1000 + 137 * round));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const Files files = read_folder(path);
    ASSERT_EQ(files.size(), 20u) << "round " << round;
    for (const auto& [name, bytes] : files) EXPECT_EQ(bytes, files.at("0")) << "round " << round;
    partial += fs::exists(path + ".partial") ? 1 : 0;
  }
  EXPECT_GT(partial, 0) << "no kill came while a folder was being written";
}

}  // namespace
}  // namespace dspark
